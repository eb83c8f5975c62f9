// How many requests to keep waiting with one peer, and which ones are. The window is steered by delay: while blocks
// come back sooner than the target it grows, later it shrinks. So it follows rate x delay on any link by itself, fills
// a fast one in a few round trips, and never piles up more than the target's worth of data at a slow peer.
import { BLOCK_LENGTH, MAX_REQUEST_WINDOW, MIN_REQUEST_WINDOW, TARGET_DELAY_MS } from "./limits.ts";
import type { Block } from "./peer-message.ts";

/** First window: 512 KiB, so that the first piece needs one round trip. */
const INITIAL_WINDOW = 32;
/** Weight of the newest delay in the running average. */
const DELAY_WEIGHT = 1 / 8;

interface Outstanding {
  readonly block: Block;
  readonly sentAt: number;
}

export class RequestWindow {
  /** By the number of the block in the file; insertion order is age. */
  readonly #outstanding = new Map<number, Outstanding>();
  #size = INITIAL_WINDOW;
  #limit = MAX_REQUEST_WINDOW;
  #targetMs = TARGET_DELAY_MS;
  #delayMs = TARGET_DELAY_MS / 4;

  /** Requests that may be sent now. */
  get room(): number {
    return Math.max(0, Math.min(Math.floor(this.#size), this.#limit) - this.#outstanding.size);
  }

  get outstandingCount(): number {
    return this.#outstanding.size;
  }

  /** Running average of the time from request to arrival. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** The delay to steer for, in place of TARGET_DELAY_MS. */
  aimAt(targetMs: number): void {
    this.#targetMs = targetMs;
  }

  /** The peer's own bound (`reqq`). */
  limitTo(requests: number): void {
    this.#limit = Math.max(1, Math.min(MAX_REQUEST_WINDOW, requests));
  }

  sent(key: number, block: Block, now: number): void {
    this.#outstanding.set(key, { block, sentAt: now });
  }

  /** @returns false when the block was not asked for. */
  arrived(key: number, now: number): boolean {
    const request = this.#outstanding.get(key);
    if (request === undefined) return false;
    this.#outstanding.delete(key);
    const delay = now - request.sentAt;
    this.#delayMs += (delay - this.#delayMs) * DELAY_WEIGHT;
    const step = Math.max(-1, Math.min(1, (this.#targetMs - delay) / this.#targetMs));
    this.#size = Math.max(MIN_REQUEST_WINDOW, Math.min(MAX_REQUEST_WINDOW, this.#size + step));
    return true;
  }

  /** Forgets one request (rejected, cancelled). @returns false when it was not outstanding. */
  forget(key: number): boolean {
    return this.#outstanding.delete(key);
  }

  /** Forgets all requests. @returns their blocks. */
  drain(): Block[] {
    const blocks = [...this.#outstanding.values()].map((request) => request.block);
    this.#outstanding.clear();
    return blocks;
  }

  /** After a peer stalled: ask for little until it shows that it moves. */
  collapse(): void {
    this.#size = MIN_REQUEST_WINDOW;
  }

  /** When the oldest outstanding request was sent; undefined when there is none. */
  oldestSentAt(): number | undefined {
    for (const request of this.#outstanding.values()) return request.sentAt;
    return undefined;
  }
}

/** The number of a block in the file: its offset in blocks. Unique because pieces are whole multiples of a block. */
export function blockKey(block: Block, pieceLength: number): number {
  return (block.piece * pieceLength + block.begin) / BLOCK_LENGTH;
}
