// The signals that this process was started to ignore: `nohup` ignores SIGHUP, a shell without job control ignores SIGINT for
// what it runs in the background. A handler would take that back, so it is asked for before one is installed.
import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** @returns their names; empty without /proc. To be called before the first handler. */
export function signalsIgnoredAtStart(): ReadonlySet<string> {
  try {
    return ignoredSignals(readFileSync("/proc/self/status", "utf8"));
  } catch {
    return new Set();
  }
}

/** @param status the text of /proc/PID/status; in the mask SigIgn bit 0 is signal 1. */
export function ignoredSignals(status: string): ReadonlySet<string> {
  const mask = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const isIgnored = ([, number]: readonly [string, number]) => ((mask >> BigInt(number - 1)) & 1n) === 1n;
  return new Set(
    Object.entries(constants.signals)
      .filter(isIgnored)
      .map(([name]) => name),
  );
}
