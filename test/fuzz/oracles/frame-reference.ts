// A second reader of frames, over a whole stream in memory: the units, and the fault, that must be reported after any number
// of bytes.
import {
  MAX_BITFIELD_FRAME_LENGTH,
  MAX_BLOCK_FRAME_LENGTH,
  MAX_EXTENDED_FRAME_LENGTH,
  MAX_UNKNOWN_FRAME_LENGTH,
} from "../../../src/wire/limits.ts";
import type { PeerFault } from "../../../src/core/torrent/peer-message.ts";

export interface ReferenceUnit {
  /** Bytes of the stream up to the end of the unit. */
  readonly end: number;
  readonly type: "handshake" | "frame" | "block";
  /** Without the length prefix. */
  readonly bytes: Uint8Array;
}

export interface ReferenceStream {
  readonly units: readonly ReferenceUnit[];
  /** `end`: bytes of the stream that show the fault; it must be reported then. */
  readonly fault: { readonly end: number; readonly reason: PeerFault } | undefined;
}

const PROTOCOL = Buffer.from("\u0013BitTorrent protocol", "latin1");
const HANDSHAKE_LENGTH = 68;
const LARGEST_OF_ALL = Math.max(
  MAX_BITFIELD_FRAME_LENGTH,
  MAX_BLOCK_FRAME_LENGTH,
  MAX_EXTENDED_FRAME_LENGTH,
  MAX_UNKNOWN_FRAME_LENGTH,
);
const BLOCK_ID = 7;
/** Least and greatest length by id, with the id itself (BEP 3, 5, 6, 10). */
const LENGTHS: Readonly<Record<number, readonly [number, number]>> = {
  0: [1, 1],
  1: [1, 1],
  2: [1, 1],
  3: [1, 1],
  4: [5, 5],
  5: [2, MAX_BITFIELD_FRAME_LENGTH],
  6: [13, 13],
  [BLOCK_ID]: [10, MAX_BLOCK_FRAME_LENGTH],
  8: [13, 13],
  9: [3, 3],
  13: [5, 5],
  14: [1, 1],
  15: [1, 1],
  16: [13, 13],
  17: [5, 5],
  20: [2, MAX_EXTENDED_FRAME_LENGTH],
};

export function readStream(stream: Uint8Array): ReferenceStream {
  const units: ReferenceUnit[] = [];
  for (let at = 0; at < Math.min(stream.length, PROTOCOL.length); at++) {
    if (stream[at] !== PROTOCOL[at]) return { units, fault: { end: at + 1, reason: "badHandshake" } };
  }
  if (stream.length < HANDSHAKE_LENGTH) return { units, fault: undefined };
  units.push({ end: HANDSHAKE_LENGTH, type: "handshake", bytes: stream.subarray(0, HANDSHAKE_LENGTH) });
  const data = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  for (let at = HANDSHAKE_LENGTH; stream.length - at >= 4;) {
    const length = data.getUint32(at);
    const start = at + 4;
    at = start + length;
    if (length === 0) continue;
    if (length > LARGEST_OF_ALL) return { units, fault: { end: start, reason: "frameTooLong" } };
    const id = stream[start];
    if (id === undefined) break;
    const [least, most] = LENGTHS[id] ?? [1, MAX_UNKNOWN_FRAME_LENGTH];
    if (length < least || length > most) {
      const isFixed = least === most;
      const reason = length > most && !isFixed ? "frameTooLong" : "badFrameLength";
      return { units, fault: { end: start + 1, reason } };
    }
    if (at > stream.length) break;
    units.push({
      end: at,
      type: id === BLOCK_ID ? "block" : "frame",
      bytes: stream.subarray(start, at),
    });
  }
  return { units, fault: undefined };
}
