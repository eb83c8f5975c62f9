// Buffers of one kind, made as they are needed up to a bound and used again, the latest first: its pages are warm.

export class SpanPool<Buffer extends Uint8Array> {
  readonly #make: () => Buffer;
  readonly #max: number;
  readonly #free: Buffer[] = [];
  #used = 0;

  /** `max`: buffers there may be at once. */
  constructor(make: () => Buffer, max: number) {
    this.#make = make;
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
  take(): Buffer | undefined {
    if (this.exhausted) return undefined;
    this.#used++;
    return this.#free.pop() ?? this.#make();
  }

  give(buffer: Buffer): void {
    this.#used--;
    this.#free.push(buffer);
  }

  /** Forgets the buffers that are not out. */
  drain(): void {
    this.#free.length = 0;
  }
}
