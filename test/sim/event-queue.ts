// The virtual clock: things to do in order of their time; what was planned first comes first among equals.

interface Planned {
  readonly at: number;
  readonly sequence: number;
  readonly run: (now: number) => void;
}

export class EventQueue {
  readonly #heap: Planned[] = [];
  #sequence = 0;
  now = 0;

  get size(): number {
    return this.#heap.length;
  }

  plan(at: number, run: (now: number) => void): void {
    const heap = this.#heap;
    heap.push({ at: Math.max(at, this.now), sequence: this.#sequence++, run });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#before(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** Runs the earliest thing. @returns false when nothing is planned. */
  step(): boolean {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return false;
    if (heap.length > 0) {
      heap[0] = last;
      let parent = 0;
      for (;;) {
        let smallest = parent;
        for (const child of [2 * parent + 1, 2 * parent + 2]) {
          if (child < heap.length && this.#before(child, smallest)) smallest = child;
        }
        if (smallest === parent) break;
        this.#swap(smallest, parent);
        parent = smallest;
      }
    }
    this.now = first.at;
    first.run(first.at);
    return true;
  }

  #before(a: number, b: number): boolean {
    const left = this.#heap[a]!;
    const right = this.#heap[b]!;
    return left.at < right.at || (left.at === right.at && left.sequence < right.sequence);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  }
}
