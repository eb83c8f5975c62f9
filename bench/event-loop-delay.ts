// How late the event loop is: a timer asks again and again, and what it is late by is one sample.

/** Asking every millisecond took 3 to 6 % of the processor time of what was being measured; this takes 1 %. */
const INTERVAL_MS = 4;

export class EventLoopDelay {
  readonly #lateness: number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    const due = performance.now() + INTERVAL_MS;
    this.#timer = setTimeout(() => {
      this.#lateness.push(Math.max(0, performance.now() - due));
      this.start();
    }, INTERVAL_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Milliseconds that `share` (0 to 1) of the samples did not exceed; 1 is the worst of all. */
  quantile(share: number): number {
    const sorted = this.#lateness.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  }
}
