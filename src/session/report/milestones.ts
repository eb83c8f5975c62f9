// When a download got how far: each moment counts once, the first time. Milliseconds since the process began.

export type Milestone = "firstPeer" | "metadata" | "firstPiece" | "done";

/** Undefined for what has not happened: a file that was there already had no first piece. */
export type Moments = Readonly<Record<Milestone, number | undefined>>;

export class Milestones {
  readonly #now: () => number;
  #moments: Moments = { firstPeer: undefined, metadata: undefined, firstPiece: undefined, done: undefined };

  constructor(now: () => number) {
    this.#now = now;
  }

  get moments(): Moments {
    return this.#moments;
  }

  /** @returns when it happened first. */
  reached(milestone: Milestone): number {
    const moment = this.#moments[milestone] ?? Math.round(this.#now());
    this.#moments = { ...this.#moments, [milestone]: moment };
    return moment;
  }
}
