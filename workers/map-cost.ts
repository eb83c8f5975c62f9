// Whether mapping a file is cheaper than copying it. The price of a mapping is set by the size of the blocks in which
// the page cache holds the file, which depends on how it was written: 4 KiB pages are mapped at 6 GB/s, huge ones at
// 500; a copy runs at 20. So the first windows of a file are timed, and a dear file is read from then on.
import { MiB } from "../src/lib/units.ts";

/** Bytes per millisecond below which reading was measured to be faster (12 GB/s). */
const WORTHWHILE_RATE = 12_000_000;
/** Bytes mapped before judging: one slow window may only mean that another thread had the core. */
const TRIAL_LENGTH = 64 * MiB;

export class MapCost {
  #path = "";
  #bytes = 0;
  #milliseconds = 0;

  pays(path: string): boolean {
    if (path !== this.#path) {
      this.#path = path;
      this.#bytes = 0;
      this.#milliseconds = 0;
    }
    return this.#bytes < TRIAL_LENGTH || this.#bytes >= WORTHWHILE_RATE * this.#milliseconds;
  }

  /** `length` bytes were mapped and read in within `milliseconds`. */
  add(length: number, milliseconds: number): void {
    this.#bytes += length;
    this.#milliseconds += milliseconds;
  }
}
