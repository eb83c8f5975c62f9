// The bytes of the peer protocol (BEP 3, 6, 10), written without any code of src/ and without checks: a fault is a frame
// that no honest program sends.
import { randomBytes } from "node:crypto";
import { type BencodeValue, bencode } from "../../helpers/torrent-file.ts";

export const HANDSHAKE_LENGTH = 68;
export const Id = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  extended: 20,
} as const;

const PROTOCOL = Buffer.from("\x13BitTorrent protocol", "latin1");

/** With the extension protocol and the fast extension. */
export function handshake(infoHash: string, peerId: Uint8Array = newPeerId()): Buffer {
  const reserved = Buffer.alloc(8);
  reserved[5] = 0x10;
  reserved[7] = 0x04;
  return Buffer.concat([PROTOCOL, reserved, Buffer.from(infoHash, "hex"), peerId]);
}

export function newPeerId(mark = "-XX0001-"): Buffer {
  return Buffer.concat([Buffer.from(mark), randomBytes(20 - mark.length)]);
}

export function frame(id: number, ...parts: readonly Uint8Array[]): Buffer {
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length);
  head[4] = id;
  return Buffer.concat([head, payload]);
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
}

export function extended(id: number, value: BencodeValue, tail: Uint8Array = Buffer.alloc(0)): Buffer {
  return frame(Id.extended, Buffer.from([id]), bencode(value), tail);
}

export function bitfieldOf(pieceCount: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(pieceCount / 8), 0xff);
  const spare = bytes.length * 8 - pieceCount;
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) & (0xff << spare);
  return bytes;
}

/** Cuts a stream into frames after its handshake. */
export class FrameCutter {
  #held = Buffer.alloc(0);
  #handshakeDone = false;

  /** @returns the frames that are whole by now, id and payload without the length; keep-alives left out. */
  take(chunk: Uint8Array): Buffer[] {
    this.#held = Buffer.concat([this.#held, chunk]);
    if (!this.#handshakeDone) {
      if (this.#held.length < HANDSHAKE_LENGTH) return [];
      this.#handshakeDone = true;
      this.#held = this.#held.subarray(HANDSHAKE_LENGTH);
    }
    const frames: Buffer[] = [];
    while (this.#held.length >= 4 && this.#held.length >= 4 + this.#held.readUInt32BE(0)) {
      const end = 4 + this.#held.readUInt32BE(0);
      if (end > 4) frames.push(this.#held.subarray(4, end));
      this.#held = this.#held.subarray(end);
    }
    return frames;
  }

  get handshakeDone(): boolean {
    return this.#handshakeDone;
  }
}
