// Time and chance for the layers below the session: the real ones come from session/clock.ts, a test gives a clock that it
// moves by hand.

export interface Clock {
  /** Milliseconds by a clock that is never set back. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Unpredictable for other processes. */
  randomBytes(length: number): Uint8Array;
  /** Runs `run` once, after so many milliseconds. @returns a function that cancels it. */
  after(milliseconds: number, run: () => void): () => void;
  /** Runs `run` every so many milliseconds. @returns what ends it. */
  every(milliseconds: number, run: () => void): () => void;
}
