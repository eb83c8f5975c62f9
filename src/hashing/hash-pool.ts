// SHA-1 of pieces on all cores: the one door from the main thread to the workers. Knows files and offsets; refuses to
// know torrents, peers and which digests are right. File content passes by in shared memory only.
import { HashFailure } from "./hash-failure.ts";
import type { HashJob } from "./hash-job.ts";
import { HashQueue } from "./hash-queue.ts";
import { HashRange, type HashRangeOptions } from "./hash-range.ts";
import { HashWorkerSlot } from "./hash-worker-slot.ts";
import type { OpenFile } from "./messages.ts";
import { spawnHashWorker } from "./spawn.ts";
import { HASH_JOBS_IN_FLIGHT, HASH_WINDOW_LENGTH } from "./limits.ts";

export interface HashPoolOptions {
  /** Threads at most, at least 1: usually one per core. They start when there is work for them. */
  readonly workers: number;
  /** "pread" keeps the workers from mapping files. */
  readonly io: "map" | "pread";
  /** How a worker is started; the real one when not given. */
  readonly spawn?: () => Worker;
}

export class HashPool {
  readonly #options: HashPoolOptions;
  readonly #queue = new HashQueue();
  readonly #slots: HashWorkerSlot[] = [];
  /** Slots that may still be opened; those that died for good do not come back. */
  #unopened: number;
  /** Why no job can be taken any more. */
  #ended: { readonly code: string; readonly reason: string } | undefined;

  constructor(options: HashPoolOptions) {
    this.#options = options;
    this.#unopened = options.workers;
  }

  /** Starts the first worker before there is work for it: a piece that arrives need not wait for a thread. */
  prepare(): void {
    if (this.#ended === undefined && this.#slots.length === 0 && this.#mayOpen) this.#openSlot();
  }

  /**
   * Hashes whole pieces of a long stretch: creating, resuming and re-checking are this one call.
   * @returns 20 bytes per piece, in piece order.
   * @throws HashFailure when the file cannot be read; the signal's reason when it is aborted.
   */
  async hashRange(options: HashRangeOptions): Promise<Uint8Array> {
    const { signal, path } = options;
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#endedFailure(path);
    const range = new HashRange(options, this.#options.io, HASH_WINDOW_LENGTH);
    const abort = () => range.fail(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      this.#queue.addRange(range);
      this.#dispatch();
      return await range.digests;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * One received piece, ahead of all ranges.
   * @param exclusive see HashRequest.exclusive. A part file that is open for writing is mapped only with true, and read
   *   otherwise, which takes a tenth less time for one piece.
   * @returns its 20 bytes. @throws HashFailure when the file cannot be read.
   */
  async hashPiece(file: OpenFile, offset: number, length: number, exclusive = false): Promise<Uint8Array> {
    const { io } = this.#options;
    const { path, fd } = file;
    const windowLength = HASH_WINDOW_LENGTH;
    return this.#runPiece({
      type: "hash",
      path,
      fd,
      offset,
      length,
      pieceLength: length,
      io,
      exclusive,
      windowLength,
    });
  }

  /**
   * Writes a received piece and hashes it on the way, ahead of all ranges. `bytes` must not be touched before the end;
   * the file, which is open for writing, stays open until then.
   * @returns its 20 bytes, once it is in the file. @throws HashFailure with the system's code when it cannot be written.
   */
  async storePiece(
    file: OpenFile,
    offset: number,
    bytes: Uint8Array<SharedArrayBuffer>,
  ): Promise<Uint8Array> {
    const { path, fd } = file;
    return this.#runPiece({ type: "store", path, fd, offset, bytes });
  }

  /** What still waits fails with a HashFailure "ECANCELED". Resolves when all threads are gone. */
  async close(): Promise<void> {
    this.#ended ??= { code: "ECANCELED", reason: "hashing was stopped" };
    this.#failQueue();
    await Promise.all(this.#slots.splice(0).map((slot) => slot.close()));
  }

  #runPiece(request: HashJob["request"]): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    if (this.#ended !== undefined) reject(this.#endedFailure(request.path));
    else {
      this.#queue.addPiece({ request, wanted: () => true, onHashed: resolve, onFailed: reject });
      this.#dispatch();
    }
    return promise;
  }

  #dispatch(): void {
    while (this.#hasRoom()) {
      const job = this.#queue.next();
      if (job === undefined) return;
      this.#freestSlot().give(job);
    }
  }

  #hasRoom(): boolean {
    if (this.#ended !== undefined) return false;
    return this.#mayOpen || this.#slots.some((slot) => slot.busy < HASH_JOBS_IN_FLIGHT);
  }

  /** One at a time: a thread takes 3 ms of processor time to start, and the first piece is soon hashed by one alone. */
  get #mayOpen(): boolean {
    return this.#unopened > 0 && this.#slots.every((slot) => slot.isReady);
  }

  #freestSlot(): HashWorkerSlot {
    let freest: HashWorkerSlot | undefined;
    for (const slot of this.#slots) if (freest === undefined || slot.busy < freest.busy) freest = slot;
    if (freest !== undefined && (freest.busy === 0 || !this.#mayOpen)) return freest;
    return this.#openSlot();
  }

  #openSlot(): HashWorkerSlot {
    this.#unopened--;
    const slot: HashWorkerSlot = new HashWorkerSlot({
      spawn: this.#options.spawn ?? spawnHashWorker,
      onRoom: () => this.#dispatch(),
      onLost: (jobs) => this.#giveAgain(jobs),
      onDead: (reason) => this.#bury(slot, reason),
    });
    this.#slots.push(slot);
    return slot;
  }

  #giveAgain(jobs: readonly HashJob[]): void {
    this.#queue.putBack(jobs);
    this.#dispatch();
  }

  #bury(slot: HashWorkerSlot, reason: string): void {
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    if (this.#slots.length > 0 || this.#unopened > 0) return this.#dispatch();
    this.#ended ??= { code: "EWORKER", reason: `all hash workers died: ${reason}` };
    this.#failQueue();
  }

  #failQueue(): void {
    this.#queue.failAll((path) => this.#endedFailure(path));
  }

  #endedFailure(path: string): HashFailure {
    const { code, reason } = this.#ended ?? { code: "ECANCELED", reason: "hashing was stopped" };
    return new HashFailure(path, code, reason);
  }
}
