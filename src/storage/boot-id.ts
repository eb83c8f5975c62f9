// The id of the machine's boot: written data is lost with the page cache only when it has changed.
import { readFileSync } from "node:fs";

let known: string | undefined;

/**
 * `uniqueText`: gives a text that no other run has, for a kernel without boot ids: then no earlier record is trusted.
 * @returns the same text until the next boot.
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
