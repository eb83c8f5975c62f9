// bittorrent-protocol's Wire without its streams: whole frames go in, bytes go out into a sink, an exception of the
// library is an answer and not a crash, and the end is immediate. The only file that touches the library's inner
// members; checks no message and decides nothing.
/* oxlint-disable no-underscore-dangle -- the library marks its inner members so */
import Wire from "bittorrent-protocol";
import { encodeBencode } from "../core/format/bencode.ts";
import type { ByteSink } from "../lib/byte-sink.ts";
import { concatBytes } from "../lib/bytes.ts";
import { MessageId } from "./message-id.ts";
import type { HeardMessage } from "./heard-message.ts";

export class GuardedWire extends Wire {
  readonly #sink: ByteSink;
  #heard: HeardMessage | undefined;
  #heardExtension: string | undefined;

  /** `extensions`: names for our extension handshake. */
  constructor(direction: "incoming" | "outgoing", sink: ByteSink, extensions: Iterable<string>) {
    super(direction === "incoming" ? "tcpIncoming" : "tcpOutgoing");
    this.#sink = sink;
    for (const name of extensions) this.use(extensionNamed(name));
    this.#listen();
  }

  /** What the library made of the latest frame: nothing for a have it knew, for extensions and for ports. */
  get heard(): HeardMessage | undefined {
    return this.#heard;
  }

  /** The name of the extension the latest frame was for, when it is one of ours. */
  get heardExtension(): string | undefined {
    return this.#heardExtension;
  }

  /** `handshake` has 68 bytes and the right protocol string. @returns false when the library failed on it. */
  feedHandshake(handshake: Uint8Array): boolean {
    return this.#guard(() => this._onHandshakeBuffer(handshake.subarray(1)));
  }

  /** `frame` starts with the id and has a size legal for it. @returns false when the library failed on it. */
  feed(frame: Uint8Array): boolean {
    this.#heard = undefined;
    this.#heardExtension = undefined;
    return this.#guard(() => this._onMessage(frame));
  }

  /** An extension handshake with nothing in it but these message ids, 0..255. @returns as `feed`. */
  feedExtensions(ids: ReadonlyMap<string, number>): boolean {
    return this.feed(concatBytes([Uint8Array.of(MessageId.extended, 0), encodeBencode({ m: ids })]));
  }

  /** Sends the extension handshake once more; nothing before the library has sent it by itself. */
  repeatExtendedHandshake(): void {
    if (this._extendedHandshakeSent === true) this._sendExtendedHandshake();
  }

  override _push(data: Uint8Array): void {
    if (!this._finished) this.#sink.reserve(data.length).set(data);
  }

  // The library builds a string for every message even when nobody listens.
  override _debug(): void {}

  // The library's own end is that of a stream: it waits for a reader that does not exist.
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

  /** What is heard is kept until the library's own call has returned, so that no exception but its own is caught. */
  #listen(): void {
    const hear = (heard: HeardMessage): void => {
      this.#heard = heard;
    };
    this.on("choke", () => hear({ type: "choke" }))
      .on("unchoke", () => hear({ type: "unchoke" }))
      .on("interested", () => hear({ type: "interested" }))
      .on("uninterested", () => hear({ type: "notInterested" }))
      .on("have", (index) => hear({ type: "have", index }))
      .on("suggest", (index) => hear({ type: "suggest", index }))
      .on("have-all", () => hear({ type: "haveAll" }))
      .on("have-none", () => hear({ type: "haveNone" }))
      .on("reject", (index, begin, length) => hear({ type: "reject", index, begin, length }))
      .on("allowed-fast", (index) => hear({ type: "allowedFast", index }))
      .on("extended", (name) => {
        this.#heardExtension = typeof name === "string" ? name : undefined;
      });
  }
}

/** Only puts the name into our extension handshake: messages are taken from the library's `extended` event. */
function extensionNamed(name: string): new () => { readonly name: string } {
  class Extension {
    declare readonly name: string;
  }
  Object.assign(Extension.prototype, { name });
  return Extension;
}
