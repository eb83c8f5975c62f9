// bittorrent-protocol's Wire without its streams: whole frames go in, bytes go out into a sink, an exception of the
// library is a return value, and the end is immediate. The only file that uses the library's inner members; checks no
// message and decides nothing.
/* oxlint-disable no-underscore-dangle -- the library marks its inner members so */
import Wire from "bittorrent-protocol";
import { encodeBencode } from "../core/format/bencode.ts";
import type { ByteSink } from "../lib/byte-sink.ts";
import { concatBytes } from "../lib/bytes.ts";
import { MessageId } from "./message-id.ts";
import type { UncheckedMessage } from "./unchecked-message.ts";

export class GuardedWire extends Wire {
  readonly #sink: ByteSink;
  #received: UncheckedMessage | undefined;
  #receivedExtension: string | undefined;

  /** @param extensions names for our extension handshake (BEP 10). */
  constructor(direction: "incoming" | "outgoing", sink: ByteSink, extensions: Iterable<string>) {
    super(direction === "incoming" ? "tcpIncoming" : "tcpOutgoing");
    this.#sink = sink;
    for (const name of extensions) this.use(extensionNamed(name));
    this.#listen();
  }

  /** The message of the latest frame; undefined for a repeated have, an extension message or a port. */
  get received(): UncheckedMessage | undefined {
    return this.#received;
  }

  /** The name of the latest frame's extension, when it is one of ours. */
  get receivedExtension(): string | undefined {
    return this.#receivedExtension;
  }

  /** `handshake` has 68 bytes and the right protocol string. @returns false when the library throws or ends. */
  feedHandshake(handshake: Uint8Array): boolean {
    return this.#guard(() => this._onHandshakeBuffer(handshake.subarray(1)));
  }

  /** `frame` begins with the id and has a length legal for it. @returns false when the library throws or ends. */
  feed(frame: Uint8Array): boolean {
    this.#received = undefined;
    this.#receivedExtension = undefined;
    return this.#guard(() => this._onMessage(frame));
  }

  /** Feeds an extension handshake that has nothing but these message ids, 0..255. @returns as `feed`. */
  feedExtensions(ids: ReadonlyMap<string, number>): boolean {
    return this.feed(concatBytes([Uint8Array.of(MessageId.extended, 0), encodeBencode({ m: ids })]));
  }

  /** Sends the extension handshake once more, if the library has sent it by itself before. */
  repeatExtendedHandshake(): void {
    if (this._extendedHandshakeSent === true) this._sendExtendedHandshake();
  }

  override _push(data: Uint8Array): void {
    if (!this._finished) this.#sink.reserve(data.length).set(data);
  }

  // The library builds a string for every message even without a listener.
  override _debug(): void {}

  // The library ends as a stream does: it would wait for a reader, and there is none.
  override destroy(): this {
    this._finished = true;
    return this;
  }

  override end(): this {
    return this.destroy();
  }

  #guard(feed: () => void): boolean {
    try {
      feed();
    } catch {
      return false;
    }
    return !this._finished;
  }

  /** A message is kept until the library's call has returned, so that #guard catches exceptions of the library only. */
  #listen(): void {
    const keep = (message: UncheckedMessage): void => {
      this.#received = message;
    };
    this.on("choke", () => keep({ type: "choke" }))
      .on("unchoke", () => keep({ type: "unchoke" }))
      .on("interested", () => keep({ type: "interested" }))
      .on("uninterested", () => keep({ type: "notInterested" }))
      .on("have", (index) => keep({ type: "have", index }))
      .on("suggest", (index) => keep({ type: "suggest", index }))
      .on("have-all", () => keep({ type: "haveAll" }))
      .on("have-none", () => keep({ type: "haveNone" }))
      .on("reject", (index, begin, length) => keep({ type: "reject", index, begin, length }))
      .on("allowed-fast", (index) => keep({ type: "allowedFast", index }))
      .on("extended", (name) => {
        this.#receivedExtension = typeof name === "string" ? name : undefined;
      });
  }
}

/** A class that only puts the name into our extension handshake; messages come by the library's `extended` event. */
function extensionNamed(name: string): new () => { readonly name: string } {
  class Extension {
    declare readonly name: string;
  }
  Object.assign(Extension.prototype, { name });
  return Extension;
}
