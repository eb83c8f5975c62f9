// The virtual clock: events in order of their time; at the same time, in the order of planning. Most events come a fixed
// delay after their cause (a link's delay, a hash): they wait in one first-in-first-out line per delay, without the heap. A
// fleet of a thousand machines plans tens of millions of events.

/** An event at a moment of virtual time. */
export interface SimEvent {
  happen(): void;
}

/** The events of one delay, first in, first out. */
class Line {
  readonly delayMs: number;
  #at: number[] = [];
  #sequences: number[] = [];
  #events: (SimEvent | undefined)[] = [];
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

  push(at: number, sequence: number, event: SimEvent): void {
    this.#at.push(at);
    this.#sequences.push(sequence);
    this.#events.push(event);
  }

  shift(): SimEvent | undefined {
    const event = this.#events[this.#head];
    this.#events[this.#head++] = undefined;
    if (this.#head > 4096 && this.#head * 2 > this.#at.length) {
      this.#at = this.#at.slice(this.#head);
      this.#sequences = this.#sequences.slice(this.#head);
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }
}

/** Different delays with a line of their own; other delays use the heap. */
const MAX_LINES = 8;

export class EventQueue {
  /** Milliseconds. */
  now = 0;
  /** Number of events so far: the cost of a run. */
  happened = 0;
  readonly #lines: Line[] = [];
  // A binary heap in three arrays side by side.
  readonly #at: number[] = [];
  readonly #sequences: number[] = [];
  readonly #events: SimEvent[] = [];
  #sequence = 0;

  get size(): number {
    return this.#at.length + this.#lines.reduce((sum, line) => sum + line.length, 0);
  }

  /** Calls `run` at a time in milliseconds; a time in the past means now. */
  plan(at: number, run: (now: number) => void): void {
    this.planEvent(at, { happen: () => run(this.now) });
  }

  planEvent(at: number, event: SimEvent): void {
    this.#insert(Math.max(at, this.now), this.#sequence++, event);
  }

  /** Plans an event for `delayMs` from now. Cheap while few different delays are in use. */
  after(delayMs: number, event: SimEvent): void {
    const line = this.#lineFor(delayMs);
    if (line === undefined) this.planEvent(this.now + delayMs, event);
    else line.push(this.now + delayMs, this.#sequence++, event);
  }

  /** Runs the earliest event. @returns false when none is planned. */
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
    const event = earliest === undefined ? this.#removeFirst() : earliest.shift();
    if (event === undefined) return false;
    this.now = at;
    this.happened++;
    event.happen();
    return true;
  }

  #lineFor(delayMs: number): Line | undefined {
    for (const line of this.#lines) if (line.delayMs === delayMs) return line;
    if (this.#lines.length === MAX_LINES) return undefined;
    const line = new Line(delayMs);
    this.#lines.push(line);
    return line;
  }

  #insert(at: number, sequence: number, event: SimEvent): void {
    let hole = this.#at.length;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      // Among equal times the parent has the lower sequence, and stays.
      if (this.#at[parent]! <= at) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#put(hole, at, sequence, event);
  }

  #removeFirst(): SimEvent | undefined {
    const first = this.#events[0];
    const at = this.#at.pop();
    const sequence = this.#sequences.pop();
    const event = this.#events.pop();
    const size = this.#at.length;
    if (at === undefined || sequence === undefined || event === undefined || size === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(child + 1, this.#at[child]!, this.#sequences[child]!)) child++;
      if (!this.#isBefore(child, at, sequence)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#put(hole, at, sequence, event);
    return first;
  }

  #isBefore(index: number, at: number, sequence: number): boolean {
    const other = this.#at[index]!;
    return other < at || (other === at && this.#sequences[index]! < sequence);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#at[from]!, this.#sequences[from]!, this.#events[from]!);
  }

  #put(index: number, at: number, sequence: number, event: SimEvent): void {
    this.#at[index] = at;
    this.#sequences[index] = sequence;
    this.#events[index] = event;
  }
}
