// Tells whether the machine was restarted since a record was written: only then is the page cache lost.
import { readFileSync } from "node:fs";

let known: string | undefined;

/**
 * `uniqueText`: gives a text that no other run has.
 * @returns the same until the next boot; what no other run has where the kernel does not tell, so that nothing is trusted.
 */
export function readBootId(uniqueText: () => string): string {
  known ??= bootIdOfKernel() ?? `unknown-${uniqueText()}`;
  return known;
}

function bootIdOfKernel(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
