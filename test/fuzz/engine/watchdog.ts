// Watches the fuzz loop from another thread, because code that never returns cannot report itself. The current input is in
// shared memory, so that the thread can save it before it ends the process.
export interface WatchdogSettings {
  readonly target: string;
  readonly shared: SharedArrayBuffer;
  readonly stuckMs: number;
}

/** Layout of the shared memory: number of the attempt (0 between attempts), length of the input, then the input. */
export const HEADER_LENGTH = 8;

export class Watchdog {
  readonly #worker: Worker;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #attempt = 0;

  constructor(target: string, maxLength: number, stuckMs: number) {
    const shared = new SharedArrayBuffer(HEADER_LENGTH + Math.max(maxLength, 1024 * 1024));
    this.#words = new Int32Array(shared, 0, 2);
    this.#bytes = new Uint8Array(shared, HEADER_LENGTH);
    this.#worker = new Worker(new URL("./watchdog-worker.ts", import.meta.url).href);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
    this.#worker.postMessage({ target, shared, stuckMs } satisfies WatchdogSettings);
    this.#worker.unref();
  }

  begin(input: Uint8Array): void {
    this.#bytes.set(input.subarray(0, this.#bytes.length));
    Atomics.store(this.#words, 1, Math.min(input.length, this.#bytes.length));
    Atomics.store(this.#words, 0, ++this.#attempt);
  }

  end(): void {
    Atomics.store(this.#words, 0, 0);
  }

  close(): void {
    this.#worker.terminate();
  }
}
