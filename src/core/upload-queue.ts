// The blocks one peer waits for from us, in the order it asked. Bounded by the caller (MAX_INBOUND_REQUESTS).
import type { Block } from "./peer-message.ts";

export class UploadQueue {
  #blocks: Block[] = [];
  #head = 0;

  get length(): number {
    return this.#blocks.length - this.#head;
  }

  push(block: Block): void {
    this.#blocks.push(block);
  }

  peek(): Block | undefined {
    return this.#blocks[this.#head];
  }

  shift(): Block | undefined {
    const block = this.#blocks[this.#head];
    if (block === undefined) return undefined;
    this.#head++;
    // The served front is dropped in bulk, so that a shift costs O(1) on average.
    if (this.#head > 256 && this.#head * 2 > this.#blocks.length) {
      this.#blocks = this.#blocks.slice(this.#head);
      this.#head = 0;
    }
    return block;
  }

  /** @returns false when the block was not waiting. O(length). */
  remove(block: Block): boolean {
    for (let i = this.#head; i < this.#blocks.length; i++) {
      const other = this.#blocks[i];
      if (other?.piece !== block.piece || other.begin !== block.begin || other.length !== block.length)
        continue;
      this.#blocks.splice(i, 1);
      return true;
    }
    return false;
  }

  clear(): Block[] {
    const blocks = this.#blocks.slice(this.#head);
    this.#blocks = [];
    this.#head = 0;
    return blocks;
  }
}
