// When each host may send its next report to us: slots in a row, so that all of them together send no more than REPORTS_PER_SECOND,
// whatever their number and however suddenly they come.
import { MAX_REPORT_INTERVAL_MS, MIN_REPORT_INTERVAL_MS, REPORTS_PER_SECOND } from "./limits.ts";

const SLOT_MS = 1000 / REPORTS_PER_SECOND;

export class ReportPace {
  #lastSlotAt = Number.NEGATIVE_INFINITY;

  /** A report was taken in: the sender gets the next free slot. @returns the milliseconds until it. */
  next(now: number): number {
    const slot = Math.max(now + MIN_REPORT_INTERVAL_MS, this.#lastSlotAt + SLOT_MS);
    // A host with a wait beyond the longest gets no slot of its own; it is one of more than 60,000.
    if (slot - now > MAX_REPORT_INTERVAL_MS) return MAX_REPORT_INTERVAL_MS;
    this.#lastSlotAt = slot;
    return slot - now;
  }

  /** The same without taking the slot, for a sender that has not proved its address. */
  peek(now: number): number {
    const slot = Math.max(now + MIN_REPORT_INTERVAL_MS, this.#lastSlotAt + SLOT_MS);
    return Math.min(slot - now, MAX_REPORT_INTERVAL_MS);
  }
}
