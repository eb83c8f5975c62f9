// The one place where time and chance enter: everything below gets them as arguments.
import { DESTINATION_ID_LENGTH } from "../core/exchange/limits.ts";
import { toHex } from "../lib/bytes.ts";
import type { Clock } from "../lib/clock.ts";

/** Milliseconds since this process began, by a clock that never steps back whatever happens to the time of day. */
export function monotonicMs(): number {
  return performance.now();
}

/** Milliseconds since 1970, as this machine believes: only for names that people read. */
export function wallMs(): number {
  return Date.now();
}

/** Seconds since 1970, as this machine believes: only for what other machines compare. */
export function wallSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Uniform in [0, 1). */
export function chance(): number {
  return Math.random();
}

/** A text that no other run has. */
export function uniqueText(): string {
  return crypto.randomUUID();
}

/** The id of a destination that has none yet, in hexadecimal digits. */
export function newDestinationId(clock: Pick<Clock, "randomBytes">): string {
  return toHex(clock.randomBytes(DESTINATION_ID_LENGTH));
}

/** Of the machine. What runs once does not keep the process alive; what repeats does. */
export const systemClock: Clock = {
  now: monotonicMs,
  random: chance,
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds).unref();
    return () => clearTimeout(timer);
  },
  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds);
    return () => clearInterval(timer);
  },
};

/** Resolves as soon as `isSo()`: it is asked at once, then every `milliseconds`. */
export function waitUntil(clock: Clock, milliseconds: number, isSo: () => boolean): Promise<void> {
  if (isSo()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = clock.every(milliseconds, () => {
      if (!isSo()) return;
      stop();
      resolve();
    });
  });
}

/** BEP 20: two letters for the program, four digits for the version. */
export const CLIENT_MARK = "-PF0100-";

/** 20 random bytes with our client's mark in front (BEP 20): "-PF0100-" and twelve of chance. */
export function newPeerIdBytes(): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  bytes.set(new TextEncoder().encode(CLIENT_MARK));
  return bytes;
}
