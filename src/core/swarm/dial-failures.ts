// Remembers unpinned addresses that were given up, so that being named again does not make them new.
import { MAX_REMEMBERED_FAILURES } from "./limits.ts";

export interface DialFailure {
  readonly failures: number;
  /** When it may be dialled again. */
  readonly dueAt: number;
}

export class DialFailures {
  /** The latest last. */
  readonly #failures = new Map<string, DialFailure>();

  get size(): number {
    return this.#failures.size;
  }

  remember(key: string, failure: DialFailure): void {
    this.#failures.delete(key);
    this.#failures.set(key, failure);
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MAX_REMEMBERED_FAILURES) break;
      this.#failures.delete(oldest);
    }
  }

  take(key: string): DialFailure | undefined {
    const failure = this.#failures.get(key);
    this.#failures.delete(key);
    return failure;
  }
}
