// Whether mapping a file is cheaper than copying it. The price of a mapping is set by the size of the blocks in which
// the page cache holds the file, which depends on how it was written: 4 KiB pages are mapped at 6 GB/s, huge ones at
// 500; a copy runs at 20. So the first windows of a file are timed, and a dear file is read from then on.
import { MiB } from "../src/lib/units.ts";

/** Bytes per millisecond below which reading was measured to be faster (12 GB/s). */
const WORTHWHILE_RATE = 12_000_000;
/** Bytes mapped before judging: one slow window may only mean that another thread had the core. */
const TRIAL_LENGTH = 64 * MiB;
/** Files remembered; the jobs of a few files come in turn. A forgotten one is only tried again. */
const MAX_FILES = 64;

interface Cost {
  bytes: number;
  milliseconds: number;
}

export class MapCost {
  readonly #costs = new Map<string, Cost>();

  pays(path: string): boolean {
    const { bytes, milliseconds } = this.#of(path);
    return bytes < TRIAL_LENGTH || bytes >= WORTHWHILE_RATE * milliseconds;
  }

  /** `length` bytes were mapped and read in within `milliseconds`. */
  add(path: string, length: number, milliseconds: number): void {
    const cost = this.#of(path);
    cost.bytes += length;
    cost.milliseconds += milliseconds;
  }

  #of(path: string): Cost {
    const known = this.#costs.get(path);
    if (known !== undefined) return known;
    const [oldest] = this.#costs.keys();
    if (oldest !== undefined && this.#costs.size >= MAX_FILES) this.#costs.delete(oldest);
    const cost = { bytes: 0, milliseconds: 0 };
    this.#costs.set(path, cost);
    return cost;
  }
}
