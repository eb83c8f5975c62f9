// The results: one JSON object per line and run of a benchmark, appended to bench/results/NAME.jsonl and never changed.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export function resultsPath(name: string): string {
  return join(import.meta.dir, "..", "results", `${name}.jsonl`);
}

export function appendResult(path: string, line: object): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify(line)}\n`);
}

/** Oldest first; nothing when there is no such file. */
export function readResults(path: string): unknown[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line): unknown => JSON.parse(line));
}

/** The command as a user types it. */
export function commandLine(name: string): string {
  return ["npm run bench --", name, ...Bun.argv.slice(2)].join(" ");
}
