// One end of a connection for tests: a PeerWire with an output queue as its sink, and a record of its events.
import { Geometry } from "../../src/core/torrent/geometry.ts";
import { type InfoHash, parseInfoHash, type PeerId, peerIdOf } from "../../src/core/torrent/ids.ts";
import type { ExtendedHandshake } from "../../src/core/format/extended-handshake.ts";
import type { Block, PeerFault, PeerMessage } from "../../src/core/torrent/peer-message.ts";
import { concatBytes } from "../../src/lib/bytes.ts";
import { OutputQueue } from "../../src/net/output-queue.ts";
import { PeerWire, type PeerWireOptions } from "../../src/wire/peer-wire.ts";
import type { PeerHandshake } from "../../src/wire/peer-wire-events.ts";

export const INFO_HASH = parseInfoHash("0123456789abcdef0123456789abcdef01234567")!;
/** Ten pieces of 32 KiB; the last has 1000 bytes. */
export const GEOMETRY = new Geometry(9 * 32768 + 1000, 32768);

export function peerId(byte: number): PeerId {
  return peerIdOf(new Uint8Array(20).fill(byte));
}

export interface WireEndOptions extends Partial<Pick<PeerWireOptions, "direction" | "extensions">> {
  readonly infoHash?: InfoHash;
  readonly byte?: number;
  readonly infoDict?: Uint8Array | undefined;
}

export class WireEnd {
  readonly queue = new OutputQueue();
  readonly wire: PeerWire;
  readonly messages: PeerMessage[] = [];
  readonly blocks: { readonly block: Block; readonly payload: Uint8Array }[] = [];
  readonly faults: PeerFault[] = [];
  readonly handshakes: PeerHandshake[] = [];
  readonly extendedHandshakes: ExtendedHandshake[] = [];
  readonly extended: { readonly name: string; readonly payload: Uint8Array }[] = [];
  readonly ports: number[] = [];
  /** All events as text, in order, to compare two runs. */
  readonly log: string[] = [];

  constructor(options: WireEndOptions = {}) {
    const direction = options.direction ?? "incoming";
    const infoHash = options.infoHash ?? INFO_HASH;
    const note = (name: string, value: unknown): void =>
      void this.log.push(`${name} ${JSON.stringify(value)}`);
    this.wire = new PeerWire({
      direction,
      sink: this.queue,
      extensions: options.extensions ?? [],
      events: {
        handshake: (handshake) => {
          note("handshake", handshake);
          this.handshakes.push(handshake);
          if (direction === "incoming") this.wire.handshake(infoHash, peerId(options.byte ?? 1));
        },
        message: (message) => {
          note("message", message);
          this.messages.push(message);
        },
        block: (block, payload) => {
          note("block", [block, payload.toHex()]);
          this.blocks.push({ block, payload: payload.slice() });
        },
        extendedHandshake: (handshake) => {
          note("extendedHandshake", [...handshake.extensions]);
          this.extendedHandshakes.push(handshake);
        },
        extended: (name, payload) => {
          note("extended", [name, payload.toHex()]);
          this.extended.push({ name, payload: payload.slice() });
        },
        port: (port) => {
          note("port", port);
          this.ports.push(port);
        },
        fault: (fault) => {
          note("fault", fault);
          this.faults.push(fault);
        },
      },
    });
    if (options.infoDict !== undefined) this.wire.setMetadata(options.infoDict);
    if (direction === "outgoing") this.wire.handshake(infoHash, peerId(options.byte ?? 2));
  }

  /** @returns and removes the bytes that the wire has written. */
  take(): Uint8Array {
    const parts: Uint8Array[] = [];
    this.queue.flush((bytes, start, length) => {
      parts.push(bytes.slice(start, start + length));
      return length;
    });
    return concatBytes(parts);
  }
}

/** Carries bytes both ways until no side writes. @returns the most bytes that one side had waiting. */
export function exchange(a: WireEnd, b: WireEnd): number {
  let largest = 0;
  for (;;) {
    largest = Math.max(largest, a.queue.pendingBytes, b.queue.pendingBytes);
    const fromA = a.take();
    const fromB = b.take();
    if (fromA.length > 0) {
      b.wire.receive(fromA);
      a.wire.drained();
    }
    if (fromB.length > 0) {
      a.wire.receive(fromB);
      b.wire.drained();
    }
    if (fromA.length + fromB.length + a.queue.pendingBytes + b.queue.pendingBytes === 0) return largest;
  }
}

/** An outgoing and an incoming end after both handshakes. */
export function connectedPair(a: WireEndOptions = {}, b: WireEndOptions = {}): [WireEnd, WireEnd] {
  const outgoing = new WireEnd({ ...a, direction: "outgoing" });
  const incoming = new WireEnd({ ...b, direction: "incoming" });
  exchange(outgoing, incoming);
  return [outgoing, incoming];
}

/** A peer's handshake of 68 bytes; `reserved` defaults to the fast, DHT and extension bits. */
export function handshakeBytes(reserved = "0000000000100005", infoHash: string = INFO_HASH): Uint8Array {
  return concatBytes([
    Uint8Array.of(19),
    new TextEncoder().encode("BitTorrent protocol"),
    Uint8Array.fromHex(reserved),
    Uint8Array.fromHex(infoHash),
    new Uint8Array(20).fill(7),
  ]);
}

/** A frame with its length prefix. */
export function frame(id: number, body: Uint8Array | readonly number[] = []): Uint8Array {
  const bytes = Uint8Array.from(body);
  return concatBytes([uint32(1 + bytes.length), Uint8Array.of(id), bytes]);
}

export function uint32(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setUint32(at * 4, value));
  return bytes;
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** An extension message. */
export function extendedFrame(id: number, payload: string | Uint8Array): Uint8Array {
  return frame(20, concatBytes([Uint8Array.of(id), typeof payload === "string" ? text(payload) : payload]));
}

/** An incoming end after the peer's handshake (fast and extension bits set), by default with the geometry. */
export function endAfterHandshake(
  options: WireEndOptions & { geometry?: boolean; reserved?: string } = {},
): WireEnd {
  const end = new WireEnd({ ...options, direction: "incoming" });
  end.wire.receive(handshakeBytes(options.reserved));
  if (options.geometry !== false) end.wire.setGeometry(GEOMETRY);
  end.take();
  return end;
}
