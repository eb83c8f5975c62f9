// How late the event loop is: a timer asks again and again, and what it is late by is one sample. While the loop stands
// still no timer asks, and a caller at that time would wait too: a long delay counts once for every timer it
// swallowed, with what was left of it. Without that, one stop of a second would be one sample among thousands.
import { quantile } from "./lib/statistics.ts";

/** Asking every millisecond took 3 to 6 % of the processor time of what was being measured; this takes 1 %. */
const INTERVAL_MS = 4;

export class EventLoopDelay {
  readonly #lateness: number[] = [];
  #due = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    this.#due = performance.now() + INTERVAL_MS;
    this.#timer = setTimeout(() => {
      this.record(performance.now() - this.#due);
      this.start();
    }, INTERVAL_MS);
  }

  /** A timer that should have come by now is late too. */
  stop(): void {
    clearTimeout(this.#timer);
    const late = performance.now() - this.#due;
    if (late > 0) this.record(late);
  }

  /** @param lateness milliseconds of one timer; negative when it came early, as timers of whole milliseconds do. */
  record(lateness: number): void {
    this.#lateness.push(Math.max(0, lateness));
    for (let rest = lateness - INTERVAL_MS; rest > 0; rest -= INTERVAL_MS) this.#lateness.push(rest);
  }

  /** Milliseconds, in no order. */
  get samples(): readonly number[] {
    return this.#lateness;
  }

  /** Milliseconds that `share` (0 to 1) of the samples did not exceed; 1 is the worst of all. */
  quantile(share: number): number {
    return quantile(this.#lateness, share);
  }
}
