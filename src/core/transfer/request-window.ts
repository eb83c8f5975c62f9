// The request window of one peer: how many blocks to keep outstanding, and how long its requests are. The window is steered
// by delay: it grows while blocks arrive sooner than the target and shrinks when they arrive later. So it follows rate x
// delay on any link, fills a fast link in a few round trips, and queues no more than the target's worth of data at a slow
// peer. Everything is counted in blocks of 16 KiB: a run of eight blocks is one request and counts eight.
import { blocksIn, MAX_RUN } from "../torrent/geometry.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../torrent/limits.ts";
import {
  MAX_REQUEST_WINDOW,
  MAX_TARGET_DELAY_MS,
  MIN_REQUEST_WINDOW,
  MIN_REQUEST_WINDOW_OF_LONG_PIECES,
  MIN_RUNS_PER_WINDOW,
  TARGET_DELAY_MS,
  TARGET_ROUND_TRIPS,
  INITIAL_REQUEST_WINDOW,
} from "./limits.ts";
import type { Block } from "../torrent/peer-message.ts";

/** Weight of the newest delay in the running average. */
const DELAY_WEIGHT = 1 / 8;

/** The least window in blocks, however slow the peer is. `pieceLength` is in bytes. */
export function leastWindow(pieceLength: number): number {
  return Math.max(MIN_REQUEST_WINDOW, Math.min(MIN_REQUEST_WINDOW_OF_LONG_PIECES, blocksIn(pieceLength)));
}

interface Outstanding {
  readonly block: Block;
  readonly sentAt: number;
  /** `sentAt` by the ReceiveClock. */
  readonly sentAtReceiveTime: number;
}

export class RequestWindow {
  /** By block key; the oldest request comes first. */
  readonly #outstanding = new Map<number, Outstanding>();
  readonly #least: number;
  #blocks = 0;
  #size = INITIAL_REQUEST_WINDOW;
  #limit = MAX_REQUEST_WINDOW;
  /** Blocks in the longest request that the peer answers. */
  #longestRun = 1;
  #targetMs = TARGET_DELAY_MS;
  /** The shortest time from request to arrival so far: about one round trip. */
  #leastMs = MAX_TARGET_DELAY_MS;
  #delayMs = TARGET_DELAY_MS / 4;

  /** @param least blocks, from leastWindow(). */
  constructor(least: number) {
    this.#least = least;
  }

  /** Blocks that may be requested now. */
  get room(): number {
    return Math.max(0, Math.min(Math.floor(this.#size), this.#limit) - this.#blocks);
  }

  /** Room if the window had at least `blocks`: for a suggested piece, which is requested as a whole. */
  roomFor(blocks: number): number {
    return Math.max(0, Math.min(Math.max(Math.floor(this.#size), blocks), this.#limit) - this.#blocks);
  }

  /** Blocks of one request; never more than an empty window has room for. */
  get runLength(): number {
    const share = Math.floor(Math.min(this.#size, this.#limit) / MIN_RUNS_PER_WINDOW);
    return Math.max(1, Math.min(share, this.#longestRun));
  }

  /** Blocks requested and not yet received. */
  get outstandingCount(): number {
    return this.#blocks;
  }

  /** Running average of the time from request to arrival, in milliseconds. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** Replaces TARGET_DELAY_MS as the delay to steer for. */
  setTargetDelay(targetMs: number): void {
    this.#targetMs = targetMs;
  }

  /** The peer's own limit (`reqq`, BEP 10). It counts requests; we count blocks, which are never fewer. */
  limitTo(requests: number): void {
    this.#limit = Math.max(1, Math.min(MAX_REQUEST_WINDOW, requests));
  }

  /** The longest request that the peer answers, in bytes; until this call requests are single blocks. */
  allowRuns(bytes: number): void {
    this.#longestRun = Math.max(1, Math.floor(Math.min(bytes, MAX_REQUEST_LENGTH) / BLOCK_LENGTH));
  }

  /** A request was sent. @param receiveTime `now` by the ReceiveClock. */
  sent(key: number, block: Block, now: number, receiveTime = now): void {
    this.#outstanding.set(key, { block, sentAt: now, sentAtReceiveTime: receiveTime });
    this.#blocks += blocksIn(block.length);
  }

  /** The outstanding request whose first block has this key. */
  request(key: number): Block | undefined {
    return this.#outstanding.get(key)?.block;
  }

  /** A block arrived for this key, of any length. @returns the request that it ends; undefined when there is none. */
  arrived(key: number, now: number): Block | undefined {
    const request = this.#outstanding.get(key);
    if (request === undefined) return undefined;
    this.#outstanding.delete(key);
    const count = blocksIn(request.block.length);
    this.#blocks -= count;
    const delay = now - request.sentAt;
    this.#delayMs += (delay - this.#delayMs) * DELAY_WEIGHT;
    this.#leastMs = Math.min(this.#leastMs, delay);
    const longPathMs = Math.min(MAX_TARGET_DELAY_MS, TARGET_ROUND_TRIPS * this.#leastMs);
    const targetMs = Math.max(this.#targetMs, longPathMs);
    const step = count * Math.max(-1, Math.min(1, (targetMs - delay) / targetMs));
    this.#size = Math.max(this.#least, Math.min(MAX_REQUEST_WINDOW, this.#size + step));
    return request.block;
  }

  /** Forgets one request (rejected, cancelled). @returns false when none of this length was outstanding. */
  forget(key: number, length: number): boolean {
    if (this.request(key)?.length !== length) return false;
    this.#blocks -= blocksIn(length);
    return this.#outstanding.delete(key);
  }

  /** Outstanding requests that share a block with the `count` blocks from `key` on. */
  overlapping(key: number, count: number): Block[] {
    const requests: Block[] = [];
    for (let first = key - MAX_RUN + 1; first < key + count; first++) {
      const request = this.request(first);
      if (request !== undefined && first + blocksIn(request.length) > key) requests.push(request);
    }
    return requests;
  }

  /** Forgets all requests. @returns them, the oldest first. */
  drain(): Block[] {
    const blocks = [...this.#outstanding.values()].map((request) => request.block);
    this.#outstanding.clear();
    this.#blocks = 0;
    return blocks;
  }

  /** For a peer beside others: first windows from a whole fleet at once would fill our own downlink for seconds. */
  startSmall(): void {
    if (this.#leastMs === MAX_TARGET_DELAY_MS) this.#size = this.#least;
  }

  /** Shrinks to the least window: the peer stalled or rejected a request. */
  collapse(): void {
    this.#size = this.#least;
  }

  /** When the oldest outstanding request was sent, by the ReceiveClock; undefined when there is none. */
  oldestSentAt(): number | undefined {
    for (const request of this.#outstanding.values()) return request.sentAtReceiveTime;
    return undefined;
  }
}

/** The offset of a run's first block in the file, in blocks. Piece lengths are multiples of a block. */
export function blockKey(block: Block, pieceLength: number): number {
  return (block.piece * pieceLength + block.begin) / BLOCK_LENGTH;
}
