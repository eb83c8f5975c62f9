// A long stretch of a file on its way through the pool: cuts it into jobs of whole pieces one at a time, so the queue does
// not grow with the file, and puts the digests in piece order whatever the order of the answers.
import type { HashJob } from "./hash-job.ts";
import type { HashRequest, OpenFile } from "./messages.ts";
import { HASH_JOB_LENGTH } from "./limits.ts";
import { SHA1_LENGTH } from "../lib/sha1.ts";

export interface HashRangeOptions extends OpenFile {
  readonly offset: number;
  /** Bytes, at least 1; the last piece may be shorter than `pieceLength`. */
  readonly length: number;
  readonly pieceLength: number;
  /** See HashRequest.exclusive; false when not given. */
  readonly exclusive?: boolean;
  /** Called with the bytes hashed so far, at most `length`, as they become more. */
  readonly onProgress?: (doneBytes: number) => void;
  /** Aborted: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

export class HashRange {
  /** 20 bytes per piece, in piece order. */
  readonly digests: Promise<Uint8Array>;
  readonly #options: HashRangeOptions;
  readonly #request: Omit<HashRequest, "job" | "offset" | "length">;
  readonly #jobLength: number;
  readonly #result: Uint8Array;
  readonly #resolve: (digests: Uint8Array) => void;
  readonly #reject: (reason: unknown) => void;
  #given = 0;
  #done = 0;
  #ended = false;

  constructor(options: HashRangeOptions, io: "map" | "pread", windowLength: number) {
    const { path, fd, length, pieceLength, exclusive = false } = options;
    this.#options = options;
    this.#request = { type: "hash", path, fd, pieceLength, exclusive, io, windowLength };
    this.#jobLength = Math.max(1, Math.floor(HASH_JOB_LENGTH / pieceLength)) * pieceLength;
    this.#result = new Uint8Array(Math.ceil(length / pieceLength) * SHA1_LENGTH);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.digests = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get path(): string {
    return this.#options.path;
  }

  /** @returns undefined when all jobs are under way or done, or the range has failed. */
  nextJob(): HashJob | undefined {
    const { offset, length, pieceLength } = this.#options;
    if (this.#ended || this.#given === length) return undefined;
    const from = this.#given;
    const bytes = Math.min(this.#jobLength, length - from);
    this.#given += bytes;
    return {
      request: { ...this.#request, offset: offset + from, length: bytes },
      wanted: () => !this.#ended,
      onHashed: (digests) => this.#take(digests, (from / pieceLength) * SHA1_LENGTH, bytes),
      onFailed: (failure) => this.fail(failure),
    };
  }

  /** Rejects the promise; digests still to come are dropped. */
  fail(reason: unknown): void {
    this.#ended = true;
    this.#reject(reason);
  }

  #take(digests: Uint8Array, at: number, bytes: number): void {
    this.#result.set(digests, at);
    this.#done += bytes;
    try {
      this.#options.onProgress?.(this.#done);
    } catch (error) {
      this.fail(error);
    }
    if (this.#done < this.#options.length || this.#ended) return;
    this.#ended = true;
    this.#resolve(this.#result);
  }
}
