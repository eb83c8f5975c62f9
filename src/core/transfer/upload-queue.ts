// The queue of one peer's requests, first in, first out. A request is three numbers in a ring: with a hundred peers and a
// thousand requests of each, objects would be most of what the garbage collector has to walk. The caller bounds the length
// (MAX_INBOUND_REQUESTS: 12 KiB).
import { present } from "../../lib/assert.ts";
import { pieceIndex } from "../torrent/ids.ts";
import type { Block } from "../torrent/peer-message.ts";
import { FIRST_UPLOAD_QUEUE } from "./limits.ts";

/** A request is piece, begin and length, each below 2^32. */
const FIELDS = 3;

export class UploadQueue {
  #ring = new Uint32Array(0);
  /** Index of the oldest request in the ring. */
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push({ piece, begin, length }: Block): void {
    if (this.#length * FIELDS === this.#ring.length) this.#grow();
    const at = this.#ringIndex(this.#length++);
    this.#ring[at] = piece;
    this.#ring[at + 1] = begin;
    this.#ring[at + 2] = length;
  }

  /** @returns the oldest request as a new object, without removing it. */
  peek(): Block | undefined {
    const [ring, at] = [this.#ring, this.#head];
    if (this.#length === 0) return undefined;
    return {
      piece: pieceIndex(present(ring[at])),
      begin: present(ring[at + 1]),
      length: present(ring[at + 2]),
    };
  }

  shift(): Block | undefined {
    const block = this.peek();
    if (block === undefined) return undefined;
    this.#head = this.#ringIndex(1);
    this.#length--;
    return block;
  }

  /** @returns false when the request is not queued. O(length). */
  remove({ piece, begin, length }: Block): boolean {
    const ring = this.#ring;
    for (let index = 0; index < this.#length; index++) {
      const at = this.#ringIndex(index);
      if (ring[at] !== piece || ring[at + 1] !== begin || ring[at + 2] !== length) continue;
      this.#length--;
      for (let later = index; later < this.#length; later++) {
        const next = this.#ringIndex(later + 1);
        ring.copyWithin(this.#ringIndex(later), next, next + FIELDS);
      }
      return true;
    }
    return false;
  }

  /** Drops all requests and frees the ring. */
  clear(): void {
    this.#ring = new Uint32Array(0);
    this.#head = 0;
    this.#length = 0;
  }

  /** Index in the ring of the request at this position of the queue; 0 is the oldest. */
  #ringIndex(index: number): number {
    return (this.#head + index * FIELDS) % this.#ring.length;
  }

  #grow(): void {
    const ring = new Uint32Array(Math.max(FIRST_UPLOAD_QUEUE * FIELDS, this.#ring.length * 2));
    ring.set(this.#ring.subarray(this.#head));
    ring.set(this.#ring.subarray(0, this.#head), this.#ring.length - this.#head);
    this.#ring = ring;
    this.#head = 0;
  }
}
