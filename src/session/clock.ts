// The one place where time and chance enter: everything below gets them as arguments.

/** Milliseconds since this process began, by a clock that never steps back whatever happens to the time of day. */
export function monotonicMs(): number {
  return performance.now();
}

/** Time as the files of a session get it; tests bring a virtual one. */
export interface Clock {
  /** Milliseconds since the process began; never steps back. */
  now(): number;
  /** Calls `run` every `ms` milliseconds. @returns a function that ends it. */
  every(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: monotonicMs,
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};

/** Resolves as soon as `isSo()`: it is asked at once, then every `ms` milliseconds. */
export function waitUntil(clock: Clock, ms: number, isSo: () => boolean): Promise<void> {
  if (isSo()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = clock.every(ms, () => {
      if (!isSo()) return;
      stop();
      resolve();
    });
  });
}

/** Seconds since 1970, as this machine believes: only for what other machines compare. */
export function wallSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Uniform in [0, 1). */
export function chance(): number {
  return Math.random();
}

/** BEP 20: two letters for the program, four digits for the version. */
export const CLIENT_MARK = "-PF0100-";

/** 20 random bytes with our client's mark in front (BEP 20): "-PF0100-" and twelve of chance. */
export function newPeerIdBytes(): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  bytes.set(new TextEncoder().encode(CLIENT_MARK));
  return bytes;
}
