// One slot of the pool: a worker, the jobs it holds, and its replacement when it dies. Refuses to know the queue: it is
// given jobs, and reports when it has room and when it lost some.
import { HashFailure } from "./hash-failure.ts";
import type { HashJob } from "./hash-job.ts";
import type { HashReply, WorkerRequest } from "./messages.ts";
import { HASH_CLOSE_GRACE_MS, MAX_WORKER_RESTARTS } from "./limits.ts";
import { assertNever } from "../lib/assert.ts";

export interface HashWorkerSlotOptions {
  readonly spawn: () => Worker;
  /** An answer came, or the worker is ready: there may be room for one more job. */
  readonly onRoom: () => void;
  /** The worker died once; these jobs are to be given again, and the slot takes jobs again. */
  readonly onLost: (jobs: readonly HashJob[]) => void;
  /** The worker died for good; its jobs have failed and the slot is of no more use. */
  readonly onDead: (reason: string) => void;
}

export class HashWorkerSlot {
  readonly #options: HashWorkerSlotOptions;
  readonly #jobs = new Map<number, HashJob>();
  #worker: Worker;
  #nextJob = 0;
  #restarts = 0;
  #isReady = false;
  #reason = "it ended unexpectedly";
  /** Set by `close`: called when the last job has been answered, and when the worker is gone. */
  #onIdle: (() => void) | undefined;
  #onGone: (() => void) | undefined;

  constructor(options: HashWorkerSlotOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  /** Jobs given and not yet answered. */
  get busy(): number {
    return this.#jobs.size;
  }

  /** The thread runs, and is not still being started. */
  get isReady(): boolean {
    return this.#isReady;
  }

  give(job: HashJob): void {
    // Only a worker with work may hold the process open.
    if (this.#jobs.size === 0) this.#worker.ref();
    const number = this.#nextJob++;
    this.#jobs.set(number, job);
    const request: WorkerRequest = { job: number, ...job.request };
    this.#worker.postMessage(request, []);
  }

  /** Fails the jobs it holds, and resolves when the worker is gone. Killing it inside a job would leak its open file. */
  async close(): Promise<void> {
    for (const { request, onFailed } of this.#jobs.values()) {
      onFailed(new HashFailure(request.path, "ECANCELED", "hashing was stopped"));
    }
    const gone = new Promise<void>((resolve) => (this.#onGone = resolve));
    if (this.#jobs.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        setTimeout(resolve, HASH_CLOSE_GRACE_MS).unref();
      });
    }
    this.#worker.terminate();
    await gone;
  }

  #start(): Worker {
    const worker = this.#options.spawn();
    worker.unref();
    worker.addEventListener("message", (event: MessageEvent<HashReply>) => this.#receive(event.data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#reason = event.message;
    });
    worker.addEventListener("close", () => this.#lose());
    return worker;
  }

  #receive(reply: HashReply): void {
    this.#isReady = true;
    if (reply.type === "ready") return this.#options.onRoom();
    const job = this.#jobs.get(reply.job);
    this.#jobs.delete(reply.job);
    if (this.#jobs.size === 0) this.#worker.unref();
    if (job?.wanted() === true) this.#settle(job, reply);
    this.#options.onRoom();
    if (this.#jobs.size === 0) this.#onIdle?.();
  }

  #settle(job: HashJob, reply: Exclude<HashReply, { type: "ready" }>): void {
    switch (reply.type) {
      case "hashed":
        job.onHashed(reply.digests);
        return;
      case "failed":
        job.onFailed(new HashFailure(job.request.path, reply.code, reply.message));
        return;
      default:
        assertNever(reply);
    }
  }

  #lose(): void {
    if (this.#onGone !== undefined) {
      this.#onIdle?.();
      return this.#onGone();
    }
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    if (this.#restarts < MAX_WORKER_RESTARTS) {
      this.#restarts++;
      this.#isReady = false;
      this.#worker = this.#start();
      this.#options.onLost(jobs);
      return;
    }
    for (const { request, onFailed } of jobs) {
      onFailed(new HashFailure(request.path, "EWORKER", `the hash worker died twice: ${this.#reason}`));
    }
    this.#options.onDead(this.#reason);
  }
}
