// A set of piece indices in the layout of the bitfield message (BEP 3) and of the state file: piece 0 is the high bit of
// byte 0, spare bits at the end are zero. The size is fixed, the count of set bits is kept. The meaning of a bit is the
// caller's.
import { present } from "../../lib/assert.ts";

/** Number of bits set in each byte value. */
const bitCounts = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>>= 1) count += rest & 1;
  return count;
});

export class Bitfield {
  /** Number of bits. */
  readonly size: number;
  readonly #bytes: Uint8Array;
  #count = 0;

  /** All bits clear. */
  constructor(size: number) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`a bitfield of ${size} bits`);
    this.size = size;
    this.#bytes = new Uint8Array(Math.ceil(size / 8));
  }

  /** Copies `bytes` and clears spare bits. @returns undefined unless `bytes` has exactly ceil(size / 8) bytes. */
  static parse(bytes: Uint8Array, size: number): Bitfield | undefined {
    const bitfield = new Bitfield(size);
    if (bytes.length !== bitfield.#bytes.length) return undefined;
    bitfield.#bytes.set(bytes);
    bitfield.#settle();
    return bitfield;
  }

  static full(size: number): Bitfield {
    const bitfield = new Bitfield(size);
    bitfield.#bytes.fill(0xff);
    bitfield.#settle();
    return bitfield;
  }

  /** Number of bits set. O(1). */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.size;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** A view of the bits, not a copy, to send or store. Read only. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** False outside of 0..size-1. */
  get(index: number): boolean {
    return ((this.#bytes[index >>> 3] ?? 0) & (0x80 >>> (index & 7))) !== 0;
  }

  /** @returns false when the bit was set already. @throws RangeError outside of 0..size-1. */
  set(index: number): boolean {
    const byte = this.#byteOf(index);
    const mask = 0x80 >>> (index & 7);
    if ((byte & mask) !== 0) return false;
    this.#bytes[index >>> 3] = byte | mask;
    this.#count++;
    return true;
  }

  /** @returns false when the bit was clear already. @throws RangeError outside of 0..size-1. */
  clear(index: number): boolean {
    const byte = this.#byteOf(index);
    const mask = 0x80 >>> (index & 7);
    if ((byte & mask) === 0) return false;
    this.#bytes[index >>> 3] = byte & ~mask;
    this.#count--;
    return true;
  }

  copy(): Bitfield {
    const copy = new Bitfield(this.size);
    copy.#bytes.set(this.#bytes);
    copy.#count = this.#count;
    return copy;
  }

  equals(other: Bitfield): boolean {
    if (this.size !== other.size || this.#count !== other.#count) return false;
    return this.#bytes.every((byte, at) => byte === other.#bytes[at]);
  }

  /** Visits the set bits in ascending order; whole empty bytes are skipped. */
  forEachSet(visit: (index: number) => void): void {
    for (let at = 0; at < this.#bytes.length; at++) {
      let byte = present(this.#bytes[at]);
      for (let index = at * 8; byte !== 0; index++) {
        if ((byte & 0x80) !== 0) visit(index);
        byte = (byte << 1) & 0xff;
      }
    }
  }

  #byteOf(index: number): number {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) {
      throw new RangeError(`bit ${index} of ${this.size}`);
    }
    return present(this.#bytes[index >>> 3]);
  }

  #settle(): void {
    const spare = this.#bytes.length * 8 - this.size;
    const last = this.#bytes.length - 1;
    if (spare > 0) this.#bytes[last] = present(this.#bytes[last]) & (0xff << spare);
    this.#count = 0;
    for (const byte of this.#bytes) this.#count += present(bitCounts[byte]);
  }
}
