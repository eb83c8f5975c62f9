// Tells whether the machine was restarted since a record was written: only then is the page cache lost.
import { readFileSync } from "node:fs";

let known: string | undefined;

/** Constant until the next boot. Where the kernel does not tell, a value that no other run has: nothing is trusted. */
export function readBootId(): string {
  known ??= bootIdOfKernel() ?? `unknown-${crypto.randomUUID()}`;
  return known;
}

function bootIdOfKernel(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
