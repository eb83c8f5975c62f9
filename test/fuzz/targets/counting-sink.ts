// A sink that keeps the number and a checksum of the written bytes, not the bytes.
import type { ByteSink } from "../../../src/lib/byte-sink.ts";

export class CountingSink implements ByteSink {
  /** Bytes reserved so far. */
  total = 0;
  #digest = 0;
  #last = new Uint8Array(0);

  reserve(length: number): Uint8Array {
    this.#settle();
    this.total += length;
    this.#last = new Uint8Array(length);
    return this.#last;
  }

  /** Checksum of all written bytes, in order. */
  get digest(): number {
    this.#settle();
    return this.#digest;
  }

  /** Adds the latest reservation, which is filled by now, to the checksum. */
  #settle(): void {
    this.#digest = Bun.hash.crc32(this.#last, this.#digest);
    this.#last = new Uint8Array(0);
  }
}
