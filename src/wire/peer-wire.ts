// One peer's side of the conversation: bytes in, checked messages out, and the other way. The only door to
// bittorrent-protocol and ut_metadata. Decides nothing about pieces and knows neither sockets nor clocks.
import { type ExtendedHandshakeFields, parseExtendedHandshake } from "../core/format/extended-handshake.ts";
import type { Geometry } from "../core/torrent/geometry.ts";
import { idBytes, type InfoHash, infoHashOf, type PeerId, peerIdOf } from "../core/torrent/ids.ts";
import { MAX_BAD_REQUESTS } from "../core/transfer/limits.ts";
import { MAX_BITFIELDS, MAX_EXTENDED_HANDSHAKES, MAX_UNKNOWN_FRAMES } from "./limits.ts";
import type { Block, PeerFault, PeerMessage } from "../core/torrent/peer-message.ts";
import type { ByteSink } from "../lib/byte-sink.ts";
import { assert } from "../lib/assert.ts";
import { readUint16, readUint32 } from "../lib/bytes.ts";
import { Allowance } from "./allowance.ts";
import { FrameReader } from "./frame-reader.ts";
import { GuardedWire } from "./guarded-wire.ts";
import { checkBlock, checkMessage, type HeardMessage } from "./heard-message.ts";
import { HeldMessages } from "./held-messages.ts";
import { isFastMessage, MessageId } from "./message-id.ts";
import { reserveBlock, writeMessage } from "./message-writer.ts";
import { MetadataExchange } from "./metadata-exchange.ts";
import type { PeerWireEvents } from "./peer-wire-events.ts";

const METADATA = "ut_metadata";

export interface PeerWireOptions {
  readonly direction: "incoming" | "outgoing";
  readonly sink: ByteSink;
  readonly events: PeerWireEvents;
  /** Names of extensions besides ut_metadata, for `sendExtended` and the `extended` event. */
  readonly extensions?: readonly string[];
}

export class PeerWire {
  readonly #events: PeerWireEvents;
  readonly #sink: ByteSink;
  readonly #wire: GuardedWire;
  readonly #reader: FrameReader;
  readonly #metadata: MetadataExchange;
  readonly #extensionNames: ReadonlySet<string>;
  #held: HeldMessages | undefined = new HeldMessages();
  #geometry: Geometry | undefined;
  #infoHash: InfoHash | undefined;
  #fields: Partial<ExtendedHandshakeFields> = {};
  /** Whether the peer has said what it has; after "nothing" it may correct itself once. */
  #pieceState: "unsaid" | "nothing" | "said" = "unsaid";
  readonly #bitfields = new Allowance(MAX_BITFIELDS);
  readonly #badRequests = new Allowance(MAX_BAD_REQUESTS);
  readonly #unknownFrames = new Allowance(MAX_UNKNOWN_FRAMES);
  readonly #extendedHandshakes = new Allowance(MAX_EXTENDED_HANDSHAKES);
  #dead = false;

  constructor(options: PeerWireOptions) {
    this.#events = options.events;
    this.#sink = options.sink;
    this.#metadata = new MetadataExchange((payload) => this.sendExtended(METADATA, payload));
    this.#extensionNames = new Set([METADATA, ...(options.extensions ?? [])]);
    this.#wire = new GuardedWire(options.direction, options.sink, this.#extensionNames);
    this.#reader = new FrameReader({
      handshake: (bytes) => this.#onHandshake(bytes),
      keepAlive: () => this.#events.keepAlive?.(),
      frame: (frame) => this.#onFrame(frame),
      block: (piece, begin, payload) => this.#onBlock(piece, begin, payload),
    });
  }

  /** True once both sides have said they speak BEP 6. */
  get hasFast(): boolean {
    return this.#wire.hasFast;
  }

  /** Bytes of metadata the peer offers; undefined before its extension handshake or while it has none. */
  get offeredMetadataLength(): number | undefined {
    return this.#metadata.offeredSize;
  }

  /** The next bytes of the peer, cut anywhere. @returns whether they completed a message. */
  receive(chunk: Uint8Array): boolean {
    const fault = this.#reader.receive(chunk);
    if (fault !== undefined) this.#fail(fault);
    return this.#reader.completed;
  }

  /** Once. Says that we speak the fast extension, the DHT and the extension protocol. */
  handshake(infoHash: InfoHash, peerId: PeerId): void {
    assert(this.#infoHash === undefined, "a second handshake");
    this.#infoHash = infoHash;
    this.#wire.handshake(infoHash, peerId, { dht: true, fast: true });
  }

  /** For the next extension handshake: the first leaves by itself right after the handshakes. */
  setExtendedHandshake(fields: ExtendedHandshakeFields): void {
    this.#fields = { ...this.#fields, ...fields };
    this.#wire.extendedHandshake = { ...this.#fields };
  }

  /** Tells the peer of changed fields; nothing happens before the first extension handshake was sent. */
  sendExtendedHandshake(): void {
    if (!this.#dead) this.#wire.repeatExtendedHandshake();
  }

  /** Not for blocks. @throws InvariantError for `haveAll` before metadata to a peer without the fast extension. */
  send(message: PeerMessage): void {
    if (!this.#dead) writeMessage(this.#wire, this.#sink, message, this.#geometry?.pieceCount);
  }

  /** `payload` has `block.length` bytes and is copied. */
  sendBlock(block: Block, payload: Uint8Array): void {
    this.reserveBlock(block).set(payload);
  }

  /** @returns the place in the sink for the payload, to be filled before the event loop runs again. */
  reserveBlock(block: Block): Uint8Array {
    return this.#dead ? new Uint8Array(block.length) : reserveBlock(this.#sink, block);
  }

  sendPort(port: number): void {
    this.#wire.port(port);
  }

  sendKeepAlive(): void {
    this.#wire.keepAlive();
  }

  /** @returns false when the peer does not offer this extension (now). */
  sendExtended(name: string, payload: Uint8Array): boolean {
    const id = this.#wire.peerExtendedMapping[name] ?? 0;
    if (this.#dead || id === 0) return false;
    this.#wire.extended(id, payload);
    return true;
  }

  /** Once, when the metadata is known: checks and hands on what the peer has said so far. */
  setGeometry(geometry: Geometry): void {
    assert(this.#geometry === undefined, "a second geometry");
    this.#geometry = geometry;
    const held = this.#held?.replay() ?? [];
    this.#held = undefined;
    for (const heard of held) if (!this.#dead) this.#accept(heard);
  }

  /** Serve this info dict, which has passed parseInfoDict; tells a peer that is already connected. */
  setMetadata(raw: Uint8Array): void {
    this.#metadata.setMetadata(raw);
    this.#fields = { ...this.#fields, metadata_size: raw.length };
    this.#wire.extendedHandshake = { ...this.#fields };
    this.sendExtendedHandshake();
  }

  /**
   * Asks the peer for the metadata, or once more for what did not come; no timeout but `cancelMetadata`. `onReceived`: bytes.
   * @returns the info dict whose hash is the info hash, or undefined when there is none to be had (now).
   */
  fetchMetadata(onReceived?: (bytes: number) => void): Promise<Uint8Array | undefined> {
    if (this.#dead || this.#infoHash === undefined) return Promise.resolve(undefined);
    return this.#metadata.fetch(idBytes(this.#infoHash), onReceived);
  }

  cancelMetadata(): void {
    this.#metadata.cancel();
  }

  /** The connection's output became empty: metadata that a peer asked for goes out in bursts of bounded size. */
  drained(): void {
    this.#metadata.drained();
  }

  /** Dead and silent from now on, without a fault. */
  close(): void {
    this.#dead = true;
    this.#reader.stop();
    this.#wire.destroy();
    this.#metadata.cancel();
  }

  #fail(fault: PeerFault): void {
    if (this.#dead) return;
    this.close();
    this.#events.fault(fault);
  }

  #onHandshake(bytes: Uint8Array): void {
    if (!this.#wire.feedHandshake(bytes)) return this.#fail("badHandshake");
    const { fast, dht, extended } = this.#wire.peerExtensions;
    this.#events.handshake({
      infoHash: infoHashOf(bytes.subarray(28, 48)),
      peerId: peerIdOf(bytes.subarray(48, 68)),
      fast: fast === true,
      dht: dht === true,
      extended: extended === true,
    });
  }

  #onBlock(index: number, begin: number, payload: Uint8Array): void {
    if (this.#geometry === undefined) return this.#fail("unexpectedMessage"); // We cannot have asked.
    const block = checkBlock(this.#geometry, index, begin, payload.length);
    if (block === undefined) return this.#fail("badMessage");
    this.#events.block(block, payload);
  }

  #onFrame(frame: Uint8Array): void {
    const id = frame[0] ?? 0;
    if (isFastMessage(id) && !this.#wire.hasFast) return this.#fail("unexpectedMessage");
    switch (id) {
      case MessageId.request:
      case MessageId.cancel:
        return this.#onRequest(id, readUint32(frame, 1), readUint32(frame, 5), readUint32(frame, 9));
      case MessageId.bitfield:
      case MessageId.haveAll:
      case MessageId.haveNone:
        return this.#onPieceState(id, frame);
      case MessageId.port: {
        const port = readUint16(frame, 1);
        return this.#feed(frame) && port > 0 ? this.#events.port(port) : undefined;
      }
      case MessageId.extended:
        return this.#onExtended(frame);
      case MessageId.choke:
      case MessageId.unchoke:
      case MessageId.interested:
      case MessageId.notInterested:
      case MessageId.have:
      case MessageId.suggest:
      case MessageId.reject:
      case MessageId.allowedFast:
        return this.#feedAndAccept(frame);
      default:
        return this.#countUnknown();
    }
  }

  #onRequest(id: number, index: number, begin: number, length: number): void {
    const block = this.#geometry && checkBlock(this.#geometry, index, begin, length);
    const type = id === MessageId.request ? "request" : "cancel";
    if (block !== undefined) return this.#events.message({ type, block });
    if (!this.#badRequests.spend()) return this.#fail("badRequest");
    if (type === "request" && this.#wire.hasFast) this.#wire.reject(index, begin, length);
  }

  #onPieceState(id: number, frame: Uint8Array): void {
    const isNothing = id === MessageId.haveNone;
    const isRepeated = this.#pieceState === "said" || (this.#pieceState === "nothing" && isNothing);
    // aria2 sends its whole bitfield again where others send many haves.
    const isAllowed = id === MessageId.bitfield && this.#bitfields.spend();
    if (isRepeated && !isAllowed) return this.#fail("unexpectedMessage");
    this.#pieceState = isNothing ? "nothing" : "said";
    if (id !== MessageId.bitfield) return this.#feedAndAccept(frame);
    // The library keeps its view, and we may: both need memory that is not used again.
    if (this.#feed(frame.slice())) this.#accept({ type: "bitfield", bytes: frame.slice(1) });
  }

  #onExtended(frame: Uint8Array): void {
    if (frame[1] === 0) return this.#onExtendedHandshake(frame.subarray(2));
    if (!this.#feed(frame)) return;
    const name = this.#wire.heardExtension;
    if (name === undefined) return this.#countUnknown();
    const payload = frame.subarray(2);
    if (name !== METADATA) return this.#events.extended(name, payload);
    const fault = this.#metadata.receive(payload);
    if (fault !== undefined) this.#fail(fault);
  }

  #onExtendedHandshake(payload: Uint8Array): void {
    const handshake = parseExtendedHandshake(payload);
    if (handshake === undefined || !this.#extendedHandshakes.spend()) return this.#fail("badExtension");
    // The library would keep every name a peer makes up.
    const known = [...handshake.extensions].filter(([name]) => this.#extensionNames.has(name));
    if (!this.#wire.feedExtensions(new Map(known))) return this.#fail("badExtension");
    if (this.#wire.peerExtendedMapping[METADATA]) this.#metadata.offer(handshake.metadataSize);
    this.#events.extendedHandshake(handshake);
  }

  #feed(frame: Uint8Array): boolean {
    if (this.#wire.feed(frame)) return true;
    this.#fail("badMessage");
    return false;
  }

  #feedAndAccept(frame: Uint8Array): void {
    if (!this.#feed(frame)) return;
    // The library drops a have that it has heard before.
    if (this.#wire.heard !== undefined) this.#accept(this.#wire.heard);
  }

  #accept(heard: HeardMessage): void {
    if (this.#geometry === undefined) {
      if (this.#held?.keep(heard) === false) this.#fail("badPieceIndex");
      return;
    }
    const checked = checkMessage(heard, this.#geometry);
    if (typeof checked === "string") this.#fail(checked);
    else this.#events.message(checked);
  }

  #countUnknown(): void {
    if (!this.#unknownFrames.spend()) this.#fail("unexpectedMessage");
  }
}
