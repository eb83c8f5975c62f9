// Time and chance as the layers below the session are given them: the session has the real ones (session/clock.ts), and a
// test a clock that it turns by hand.

export interface Clock {
  /** Milliseconds by a clock that is never set back. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** No other process can tell them in advance. */
  randomBytes(length: number): Uint8Array;
  /** Runs `run` once, so many milliseconds from now. @returns what cancels it. */
  after(milliseconds: number, run: () => void): () => void;
  /** Runs `run` every so many milliseconds. @returns what ends it. */
  every(milliseconds: number, run: () => void): () => void;
}
