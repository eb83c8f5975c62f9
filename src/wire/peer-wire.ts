// The protocol of one connection: turns received bytes into checked messages, and our messages into bytes. The only user of
// bittorrent-protocol and ut_metadata. Decides nothing about pieces and knows neither sockets nor clocks.
import { type ExtendedHandshakeFields, parseExtendedHandshake } from "../core/format/extended-handshake.ts";
import type { Geometry } from "../core/torrent/geometry.ts";
import { idBytes, type InfoHash, infoHashOf, type PeerId, peerIdOf } from "../core/torrent/ids.ts";
import { MAX_BAD_REQUESTS } from "../core/transfer/limits.ts";
import { MAX_BITFIELDS, MAX_EXTENDED_HANDSHAKES, MAX_UNKNOWN_FRAMES } from "./limits.ts";
import type { Block, PeerFault, PeerMessage } from "../core/torrent/peer-message.ts";
import type { ByteSink } from "../lib/byte-sink.ts";
import { assert, present } from "../lib/assert.ts";
import { readUint16, readUint32 } from "../lib/bytes.ts";
import { MessageBudget } from "./message-budget.ts";
import { FrameReader } from "./frame-reader.ts";
import { GuardedWire } from "./guarded-wire.ts";
import { checkBlock, checkMessage, type UncheckedMessage } from "./unchecked-message.ts";
import { EarlyMessages } from "./early-messages.ts";
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
  /** Undefined once the geometry is known. */
  #early: EarlyMessages | undefined = new EarlyMessages();
  #geometry: Geometry | undefined;
  #infoHash: InfoHash | undefined;
  #fields: Partial<ExtendedHandshakeFields> = {};
  /** The peer's announcement of its pieces; after a have none it may send another. */
  #pieceState: "unknown" | "none" | "known" = "unknown";
  readonly #bitfields = new MessageBudget(MAX_BITFIELDS);
  readonly #badRequests = new MessageBudget(MAX_BAD_REQUESTS);
  readonly #unknownFrames = new MessageBudget(MAX_UNKNOWN_FRAMES);
  readonly #extendedHandshakes = new MessageBudget(MAX_EXTENDED_HANDSHAKES);
  #dead = false;

  constructor(options: PeerWireOptions) {
    this.#events = options.events;
    this.#sink = options.sink;
    this.#metadata = new MetadataExchange((payload) => this.sendExtended(METADATA, payload));
    this.#extensionNames = new Set([METADATA, ...(options.extensions ?? [])]);
    this.#wire = new GuardedWire(options.direction, options.sink, this.#extensionNames);
    this.#reader = new FrameReader({
      handshake: (bytes) => this.#onHandshake(bytes),
      frame: (frame) => this.#onFrame(frame),
      block: (piece, begin, payload) => this.#onBlock(piece, begin, payload),
    });
  }

  /** True once both handshakes have the bit of the fast extension (BEP 6). */
  get hasFast(): boolean {
    return this.#wire.hasFast;
  }

  /** Bytes of metadata the peer offers; undefined before its extension handshake or while it has none. */
  get offeredMetadataLength(): number | undefined {
    return this.#metadata.offeredSize;
  }

  /** Takes the next bytes from the peer, cut anywhere. @returns whether they completed a message. */
  receive(chunk: Uint8Array): boolean {
    const fault = this.#reader.receive(chunk);
    if (fault !== undefined) this.#fail(fault);
    return this.#reader.completed;
  }

  /** Call once. Sends our handshake with the bits for the fast extension, the DHT and the extension protocol. */
  handshake(infoHash: InfoHash, peerId: PeerId): void {
    assert(this.#infoHash === undefined, "a second handshake");
    this.#infoHash = infoHash;
    this.#wire.handshake(infoHash, peerId, { dht: true, fast: true });
  }

  /** Sets fields of the next extension handshake; the library sends the first one right after the handshakes. */
  setExtendedHandshake(fields: ExtendedHandshakeFields): void {
    this.#fields = { ...this.#fields, ...fields };
    this.#wire.extendedHandshake = { ...this.#fields };
  }

  /** Sends the extension handshake again after a change, if the first one was sent. */
  sendExtendedHandshake(): void {
    if (!this.#dead) this.#wire.repeatExtendedHandshake();
  }

  /** Any message but a block. @throws InvariantError for `haveAll` before the metadata without the fast extension. */
  send(message: PeerMessage): void {
    if (!this.#dead) writeMessage(this.#wire, this.#sink, message, this.#geometry?.pieceCount);
  }

  /** Copies `payload`, which has `block.length` bytes. */
  sendBlock(block: Block, payload: Uint8Array): void {
    this.reserveBlock(block).set(payload);
  }

  /** @returns a view into the sink for the payload, to fill before the event loop runs again. */
  reserveBlock(block: Block): Uint8Array {
    return this.#dead ? new Uint8Array(block.length) : reserveBlock(this.#sink, block);
  }

  sendPort(port: number): void {
    this.#wire.port(port);
  }

  sendKeepAlive(): void {
    this.#wire.keepAlive();
  }

  /** @returns false when the peer does not offer this extension. */
  sendExtended(name: string, payload: Uint8Array): boolean {
    const id = this.#wire.peerExtendedMapping[name] ?? 0;
    if (this.#dead || id === 0) return false;
    this.#wire.extended(id, payload);
    return true;
  }

  /** Call once, when the metadata is known: checks the messages received so far and passes them on. */
  setGeometry(geometry: Geometry): void {
    assert(this.#geometry === undefined, "a second geometry");
    this.#geometry = geometry;
    const early = this.#early?.replay() ?? [];
    this.#early = undefined;
    for (const message of early) if (!this.#dead) this.#accept(message);
  }

  /** Serves this info dict, which has passed parseInfoDict, and offers it to a peer that is connected already. */
  setMetadata(raw: Uint8Array): void {
    this.#metadata.setMetadata(raw);
    this.#fields = { ...this.#fields, metadata_size: raw.length };
    this.#wire.extendedHandshake = { ...this.#fields };
    this.sendExtendedHandshake();
  }

  /**
   * Requests the metadata, or repeats the unanswered requests. There is no timeout: the caller uses `cancelMetadata`.
   * @param onReceived is called with the bytes of each piece but the last.
   * @returns the info dict with the right hash, or undefined when the peer does not provide it.
   */
  fetchMetadata(onReceived?: (bytes: number) => void): Promise<Uint8Array | undefined> {
    if (this.#dead || this.#infoHash === undefined) return Promise.resolve(undefined);
    return this.#metadata.fetch(idBytes(this.#infoHash), onReceived);
  }

  cancelMetadata(): void {
    this.#metadata.cancel();
  }

  /** The connection's output is empty: sends the next burst of requested metadata. */
  drained(): void {
    this.#metadata.drained();
  }

  /** Ends the wire without a fault: it sends nothing more and calls no listener. */
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
    if (this.#geometry === undefined) return this.#fail("unexpectedMessage"); // Nothing is requested yet.
    const block = checkBlock(this.#geometry, index, begin, payload.length);
    if (block === undefined) return this.#fail("badMessage");
    this.#events.block(block, payload);
  }

  #onFrame(frame: Uint8Array): void {
    const id = present(frame[0]);
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
    const isNone = id === MessageId.haveNone;
    const isRepeated = this.#pieceState === "known" || (this.#pieceState === "none" && isNone);
    // aria2 sends its whole bitfield again in place of many haves.
    const isAllowed = id === MessageId.bitfield && this.#bitfields.spend();
    if (isRepeated && !isAllowed) return this.#fail("unexpectedMessage");
    this.#pieceState = isNone ? "none" : "known";
    if (id !== MessageId.bitfield) return this.#feedAndAccept(frame);
    // The library keeps its view, and #early may keep ours: both need a copy.
    if (this.#feed(frame.slice())) this.#accept({ type: "bitfield", bytes: frame.slice(1) });
  }

  #onExtended(frame: Uint8Array): void {
    if (frame[1] === 0) return this.#onExtendedHandshake(frame.subarray(2));
    if (!this.#feed(frame)) return;
    const name = this.#wire.receivedExtension;
    if (name === undefined) return this.#countUnknown();
    const payload = frame.subarray(2);
    if (name !== METADATA) return this.#events.extended(name, payload);
    const fault = this.#metadata.receive(payload);
    if (fault !== undefined) this.#fail(fault);
  }

  #onExtendedHandshake(payload: Uint8Array): void {
    const handshake = parseExtendedHandshake(payload);
    if (handshake === undefined || !this.#extendedHandshakes.spend()) return this.#fail("badExtension");
    // The library keeps every name that it is given, also invented ones.
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
    // The library drops a repeated have.
    if (this.#wire.received !== undefined) this.#accept(this.#wire.received);
  }

  #accept(message: UncheckedMessage): void {
    if (this.#geometry === undefined) {
      if (this.#early?.keep(message) === false) this.#fail("badPieceIndex");
      return;
    }
    const checked = checkMessage(message, this.#geometry);
    if (typeof checked === "string") this.#fail(checked);
    else this.#events.message(checked);
  }

  #countUnknown(): void {
    if (!this.#unknownFrames.spend()) this.#fail("unexpectedMessage");
  }
}
