// Turns of the event loop, for tests that wait for what is promised or for what the system answers.
import { expect } from "bun:test";

/** Lets what is promised already happen, as far as it does not wait for the system. */
export async function promises(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}

/** For what the system answers (files, threads): a disk that is busy takes its time. */
const SYSTEM_MS = 20_000;

/** Waits for answers of the system, a turn of the event loop at a time, and not for ever. */
export async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + SYSTEM_MS;
  while (!isSo() && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  expect(isSo()).toBe(true);
}
