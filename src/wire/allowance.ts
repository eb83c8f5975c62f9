// Counts what is tolerated of a peer a bounded number of times. Does not know what it is.

export class Allowance {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  /** @returns false from the time on that the limit is exceeded. */
  spend(): boolean {
    return --this.#left >= 0;
  }
}
