// How many blocks to keep asked for with one peer, and in which requests. The window is steered by delay: while blocks
// come back sooner than the target it grows, later it shrinks. So it follows rate x delay on any link by itself, fills
// a fast one in a few round trips, and never piles up more than the target's worth of data at a slow peer. Everything is
// counted in blocks of 16 KiB: a run of eight is one request and takes eight places.
import { blocksIn } from "../torrent/geometry.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../torrent/limits.ts";
import {
  MAX_REQUEST_WINDOW,
  MAX_TARGET_DELAY_MS,
  MIN_REQUEST_WINDOW,
  MIN_REQUEST_WINDOW_OF_LONG_PIECES,
  MIN_RUNS_PER_WINDOW,
  TARGET_DELAY_MS,
  TARGET_ROUND_TRIPS,
} from "./limits.ts";
import type { Block } from "../torrent/peer-message.ts";

/** First window: 512 KiB, so that the first piece needs one round trip. */
const INITIAL_WINDOW = 32;
/** Blocks in the longest run. */
const MAX_RUN = MAX_REQUEST_LENGTH / BLOCK_LENGTH;
/** Weight of the newest delay in the running average. */
const DELAY_WEIGHT = 1 / 8;

/** Blocks that are asked for at least, however late a peer's answers are. */
export function leastWindow(pieceLength: number): number {
  return Math.max(MIN_REQUEST_WINDOW, Math.min(MIN_REQUEST_WINDOW_OF_LONG_PIECES, blocksIn(pieceLength)));
}

interface Outstanding {
  readonly block: Block;
  readonly sentAt: number;
  /** The same by the ReceiveClock. */
  readonly listenedAt: number;
}

export class RequestWindow {
  /** By the number of the first block in the file; insertion order is age. */
  readonly #outstanding = new Map<number, Outstanding>();
  readonly #least: number;
  #blocks = 0;
  #size = INITIAL_WINDOW;
  #limit = MAX_REQUEST_WINDOW;
  /** Blocks in the longest request the peer answers. */
  #longestRun = 1;
  #targetMs = TARGET_DELAY_MS;
  /** The shortest time from request to arrival so far: the way there and back, and little else. */
  #leastMs = MAX_TARGET_DELAY_MS;
  #delayMs = TARGET_DELAY_MS / 4;

  /** `least` as leastWindow() says. */
  constructor(least: number) {
    this.#least = least;
  }

  /** Blocks that may be asked for now. */
  get room(): number {
    return Math.max(0, Math.min(Math.floor(this.#size), this.#limit) - this.#blocks);
  }

  /** Room if the window were at least `blocks`: for a piece that its peer wants to send as a whole. */
  roomFor(blocks: number): number {
    return Math.max(0, Math.min(Math.max(Math.floor(this.#size), blocks), this.#limit) - this.#blocks);
  }

  /** Blocks to ask for in one request; never more than an empty window has room for. */
  get runLength(): number {
    const share = Math.floor(Math.min(this.#size, this.#limit) / MIN_RUNS_PER_WINDOW);
    return Math.max(1, Math.min(share, this.#longestRun));
  }

  /** Blocks asked for. */
  get outstandingCount(): number {
    return this.#blocks;
  }

  /** Running average of the time from request to arrival, over requests. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** The delay to steer for, in place of TARGET_DELAY_MS. */
  aimAt(targetMs: number): void {
    this.#targetMs = targetMs;
  }

  /** The peer's own bound (`reqq`). It counts requests and we count blocks, which are never fewer. */
  limitTo(requests: number): void {
    this.#limit = Math.max(1, Math.min(MAX_REQUEST_WINDOW, requests));
  }

  /** The longest request the peer answers, in bytes; until then it gets single blocks. */
  allowRuns(bytes: number): void {
    this.#longestRun = Math.max(1, Math.floor(Math.min(bytes, MAX_REQUEST_LENGTH) / BLOCK_LENGTH));
  }

  /** `receiveTime`: `now` by the ReceiveClock. */
  sent(key: number, block: Block, now: number, receiveTime = now): void {
    this.#outstanding.set(key, { block, sentAt: now, listenedAt: receiveTime });
    this.#blocks += blocksIn(block.length);
  }

  /** The outstanding request whose first block has this key. */
  request(key: number): Block | undefined {
    return this.#outstanding.get(key)?.block;
  }

  /** An answer came, right or wrong. @returns the request; undefined when the block was not asked for. */
  arrived(key: number, now: number): Block | undefined {
    const request = this.#outstanding.get(key);
    if (request === undefined) return undefined;
    this.#outstanding.delete(key);
    const count = blocksIn(request.block.length);
    this.#blocks -= count;
    const delay = now - request.sentAt;
    this.#delayMs += (delay - this.#delayMs) * DELAY_WEIGHT;
    this.#leastMs = Math.min(this.#leastMs, delay);
    const longWayMs = Math.min(MAX_TARGET_DELAY_MS, TARGET_ROUND_TRIPS * this.#leastMs);
    const targetMs = Math.max(this.#targetMs, longWayMs);
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

  /** Outstanding requests with one of the `count` blocks from `key` on among theirs. */
  overlapping(key: number, count: number): Block[] {
    const requests: Block[] = [];
    for (let first = key - MAX_RUN + 1; first < key + count; first++) {
      const request = this.request(first);
      if (request !== undefined && first + blocksIn(request.length) > key) requests.push(request);
    }
    return requests;
  }

  /** Forgets all requests. @returns their blocks. */
  drain(): Block[] {
    const blocks = [...this.#outstanding.values()].map((request) => request.block);
    this.#outstanding.clear();
    this.#blocks = 0;
    return blocks;
  }

  /** It is not the only peer: a newcomer that asks a whole fleet for its first windows would fill its own link for seconds. */
  beginBesideOthers(): void {
    if (this.#leastMs === MAX_TARGET_DELAY_MS) this.#size = this.#least;
  }

  /** After a peer stalled: ask for little until it shows that it moves. */
  collapse(): void {
    this.#size = this.#least;
  }

  /** When the oldest outstanding request was sent, by the ReceiveClock; undefined when there is none. */
  oldestSentAt(): number | undefined {
    for (const request of this.#outstanding.values()) return request.listenedAt;
    return undefined;
  }
}

/** The number of a run's first block in the file: its offset in blocks. Pieces are whole multiples of a block. */
export function blockKey(block: Block, pieceLength: number): number {
  return (block.piece * pieceLength + block.begin) / BLOCK_LENGTH;
}
