// Where in a connection's output the blocks end: how many payload bytes the socket has taken when it has written so many bytes in
// all. A ring without allocation per block; bounded by what the core lets be in flight for one peer.
import { present } from "../../lib/assert.ts";

export class UploadMarks {
  #ends = new Float64Array(128);
  #lengths = new Float64Array(128);
  #head = 0;
  #count = 0;

  /** A block of `length` payload bytes ends at `end`, counted from the start of the connection. */
  add(end: number, length: number): void {
    if (this.#count === this.#ends.length) this.#grow();
    const at = (this.#head + this.#count++) % this.#ends.length;
    this.#ends[at] = end;
    this.#lengths[at] = length;
  }

  /** @returns payload bytes of the blocks that end at or before `written`, each counted once. */
  passed(written: number): number {
    let bytes = 0;
    while (this.#count > 0 && present(this.#ends[this.#head]) <= written) {
      bytes += present(this.#lengths[this.#head]);
      this.#head = (this.#head + 1) % this.#ends.length;
      this.#count--;
    }
    return bytes;
  }

  #grow(): void {
    const order = (from: Float64Array) => {
      const to = new Float64Array(from.length * 2);
      for (let i = 0; i < this.#count; i++) to[i] = present(from[(this.#head + i) % from.length]);
      return to;
    };
    [this.#ends, this.#lengths] = [order(this.#ends), order(this.#lengths)];
    this.#head = 0;
  }
}
