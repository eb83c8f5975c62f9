// Reads the summary of `strace -c`.
import { readFileSync } from "node:fs";

/** Calls by name. */
export function readSyscallCounts(path: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(path, "utf8").split("\n")) {
    // % time, seconds, usecs/call, calls, errors (may be blank), name
    const match = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z_]\w*)$/.exec(line);
    const [, calls, name] = match ?? [];
    if (calls !== undefined && name !== undefined && name !== "total") counts.set(name, Number(calls));
  }
  return counts;
}
