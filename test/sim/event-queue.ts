// The virtual clock: things to do in order of their time; what was planned first comes first among equals.
// Most things happen a fixed time after they were caused (a link's delay, a hash): those wait in one line per delay,
// which costs no heap. A fleet of a thousand plans tens of millions of them.

/** Something that happens at a moment of virtual time. */
export interface Happening {
  happen(): void;
}

/** First in, first out. */
class Line {
  readonly delayMs: number;
  #at: number[] = [];
  #sequences: number[] = [];
  #things: (Happening | undefined)[] = [];
  #head = 0;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  get length(): number {
    return this.#at.length - this.#head;
  }

  get firstAt(): number {
    return this.#at[this.#head] ?? Number.POSITIVE_INFINITY;
  }

  get firstSequence(): number {
    return this.#sequences[this.#head] ?? Number.POSITIVE_INFINITY;
  }

  push(at: number, sequence: number, thing: Happening): void {
    this.#at.push(at);
    this.#sequences.push(sequence);
    this.#things.push(thing);
  }

  shift(): Happening | undefined {
    const thing = this.#things[this.#head];
    this.#things[this.#head++] = undefined;
    if (this.#head > 4096 && this.#head * 2 > this.#at.length) {
      this.#at = this.#at.slice(this.#head);
      this.#sequences = this.#sequences.slice(this.#head);
      this.#things = this.#things.slice(this.#head);
      this.#head = 0;
    }
    return thing;
  }
}

/** Delays beyond this many different ones go through the heap. */
const MAX_LINES = 8;

export class EventQueue {
  /** Milliseconds. */
  now = 0;
  /** Things that have happened: the work a run has cost. */
  happened = 0;
  readonly #lines: Line[] = [];
  // A binary heap in three arrays side by side.
  readonly #at: number[] = [];
  readonly #sequences: number[] = [];
  readonly #things: Happening[] = [];
  #sequence = 0;

  get size(): number {
    return this.#at.length + this.#lines.reduce((sum, line) => sum + line.length, 0);
  }

  /** Calls `run` at a moment, or at once when it has passed. */
  plan(at: number, run: (now: number) => void): void {
    this.planThing(at, { happen: () => run(this.now) });
  }

  planThing(at: number, thing: Happening): void {
    this.#insert(Math.max(at, this.now), this.#sequence++, thing);
  }

  /** Plans a thing for `delayMs` from now. Cheap while few different delays are in use. */
  after(delayMs: number, thing: Happening): void {
    const line = this.#lineFor(delayMs);
    if (line === undefined) this.planThing(this.now + delayMs, thing);
    else line.push(this.now + delayMs, this.#sequence++, thing);
  }

  /** Does the earliest thing. @returns false when nothing is planned. */
  step(): boolean {
    let earliest: Line | undefined;
    let at = this.#at[0] ?? Number.POSITIVE_INFINITY;
    let sequence = this.#sequences[0] ?? Number.POSITIVE_INFINITY;
    for (const line of this.#lines) {
      const { firstAt } = line;
      if (firstAt > at || (firstAt === at && line.firstSequence >= sequence)) continue;
      earliest = line;
      at = firstAt;
      sequence = line.firstSequence;
    }
    const thing = earliest === undefined ? this.#removeFirst() : earliest.shift();
    if (thing === undefined) return false;
    this.now = at;
    this.happened++;
    thing.happen();
    return true;
  }

  #lineFor(delayMs: number): Line | undefined {
    for (const line of this.#lines) if (line.delayMs === delayMs) return line;
    if (this.#lines.length === MAX_LINES) return undefined;
    const line = new Line(delayMs);
    this.#lines.push(line);
    return line;
  }

  #insert(at: number, sequence: number, thing: Happening): void {
    let hole = this.#at.length;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      // Among equal times the parent has the lower sequence, and stays.
      if (this.#at[parent]! <= at) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#put(hole, at, sequence, thing);
  }

  #removeFirst(): Happening | undefined {
    const first = this.#things[0];
    const at = this.#at.pop();
    const sequence = this.#sequences.pop();
    const thing = this.#things.pop();
    const size = this.#at.length;
    if (at === undefined || sequence === undefined || thing === undefined || size === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(child + 1, this.#at[child]!, this.#sequences[child]!)) child++;
      if (!this.#isBefore(child, at, sequence)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#put(hole, at, sequence, thing);
    return first;
  }

  #isBefore(index: number, at: number, sequence: number): boolean {
    const other = this.#at[index]!;
    return other < at || (other === at && this.#sequences[index]! < sequence);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#at[from]!, this.#sequences[from]!, this.#things[from]!);
  }

  #put(index: number, at: number, sequence: number, thing: Happening): void {
    this.#at[index] = at;
    this.#sequences[index] = sequence;
    this.#things[index] = thing;
  }
}
