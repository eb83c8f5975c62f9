// Counts messages of one kind that a peer may send a bounded number of times.

export class MessageBudget {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  /** Counts one message. @returns false once there are more than the limit. */
  spend(): boolean {
    return --this.#left >= 0;
  }
}
