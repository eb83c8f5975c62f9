// Buffers of one length, made as they are needed up to a bound and used again, the latest first: its pages are warm.

export class SpanPool {
  readonly #length: number;
  readonly #max: number;
  readonly #free: Uint8Array[] = [];
  #used = 0;

  /** `length`: bytes of each buffer. `max`: buffers there may be at once. */
  constructor(length: number, max: number) {
    this.#length = length;
    this.#max = max;
  }

  /** Buffers that are out. */
  get used(): number {
    return this.#used;
  }

  get exhausted(): boolean {
    return this.#used >= this.#max;
  }

  /** @returns a buffer with whatever its last user left in it, or undefined when all are out. */
  take(): Uint8Array | undefined {
    if (this.exhausted) return undefined;
    this.#used++;
    return this.#free.pop() ?? new Uint8Array(this.#length);
  }

  give(buffer: Uint8Array): void {
    this.#used--;
    this.#free.push(buffer);
  }

  /** Forgets the buffers that are not out. */
  drain(): void {
    this.#free.length = 0;
  }
}
