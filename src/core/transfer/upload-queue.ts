// The requests of one peer that wait for their turn, in the order it asked. Three numbers each in a ring: a hundred peers
// may have a thousand waiting each, and as objects they are most of what the garbage collector has to walk. Bounded by
// the caller (MAX_INBOUND_REQUESTS: 12 KiB).
import { pieceIndex } from "../torrent/ids.ts";
import type { Block } from "../torrent/peer-message.ts";

/** Numbers of a request: piece, begin, length, each below 2^32. */
const FIELDS = 3;
/** Requests in the first ring of a peer, made when one has to wait. */
const FIRST_CAPACITY = 16;

export class UploadQueue {
  #ring = new Uint32Array(0);
  /** Where in the ring the oldest request begins. */
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push({ piece, begin, length }: Block): void {
    if (this.#length * FIELDS === this.#ring.length) this.#grow();
    const at = this.#place(this.#length++);
    this.#ring[at] = piece;
    this.#ring[at + 1] = begin;
    this.#ring[at + 2] = length;
  }

  /** @returns the oldest one, as a new object. */
  peek(): Block | undefined {
    const [ring, at] = [this.#ring, this.#head];
    if (this.#length === 0) return undefined;
    return { piece: pieceIndex(ring[at] ?? 0), begin: ring[at + 1] ?? 0, length: ring[at + 2] ?? 0 };
  }

  shift(): Block | undefined {
    const block = this.peek();
    if (block === undefined) return undefined;
    this.#head = this.#place(1);
    this.#length--;
    return block;
  }

  /** @returns false when the block was not waiting. O(length). */
  remove({ piece, begin, length }: Block): boolean {
    const ring = this.#ring;
    for (let index = 0; index < this.#length; index++) {
      const at = this.#place(index);
      if (ring[at] !== piece || ring[at + 1] !== begin || ring[at + 2] !== length) continue;
      this.#length--;
      for (let later = index; later < this.#length; later++) {
        const next = this.#place(later + 1);
        ring.copyWithin(this.#place(later), next, next + FIELDS);
      }
      return true;
    }
    return false;
  }

  /** Forgets them all and gives their memory back. */
  clear(): void {
    this.#ring = new Uint32Array(0);
    this.#head = 0;
    this.#length = 0;
  }

  /** Where the request with this number is, counted from the oldest one. */
  #place(index: number): number {
    return (this.#head + index * FIELDS) % this.#ring.length;
  }

  #grow(): void {
    const ring = new Uint32Array(Math.max(FIRST_CAPACITY * FIELDS, this.#ring.length * 2));
    ring.set(this.#ring.subarray(this.#head));
    ring.set(this.#ring.subarray(0, this.#head), this.#ring.length - this.#head);
    this.#ring = ring;
    this.#head = 0;
  }
}
