// What the recorded lines of all benchmarks have in common, and which of them a picture shows.
import type { Machine } from "../lib/machine.ts";

export interface ResultLine {
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly rounds: number;
  readonly missing: readonly { readonly name: string }[];
}

export interface FileResultLine extends ResultLine {
  readonly fileSystem: string;
  /** Bytes of the file. */
  readonly size: number;
}

/** Of the lines of `size`, or of the largest there is: the latest of each file system, memory first. */
export function latestOfSize<T extends FileResultLine>(lines: readonly T[], size: number | undefined): T[] {
  const wanted = size ?? Math.max(...lines.map((line) => line.size));
  const bySystem = new Map<string, T>();
  for (const line of lines) if (line.size === wanted) bySystem.set(line.fileSystem, line);
  const memoryFirst = (line: T) => (line.fileSystem === "tmpfs" ? 0 : 1);
  return [...bySystem.values()].toSorted((a, b) => memoryFirst(a) - memoryFirst(b));
}

/** @returns a footnote, or none when nothing was missing. */
export function withoutMissing(lines: readonly ResultLine[]): string[] {
  const missing = [...new Set(lines.flatMap((line) => line.missing.map(({ name }) => name)))];
  return missing.length === 0 ? [] : [`Without: ${missing.join(", ")}.`];
}

/** @param tools in the order in which they are told. Their versions are recorded under their names in small letters. */
export function whereAndWhen({ date, machine, versions }: ResultLine, tools: readonly string[]): string {
  const { cores, cpu, kernel } = machine;
  const named = tools.flatMap((tool) => {
    const version = versions[tool.toLowerCase()];
    return version === undefined ? [] : [withVersion(tool, version)];
  });
  return `${cores} cores of ${cpu}, Linux ${kernel.split("-")[0]}, ${named.join(", ")}, ${date.slice(0, 10)}.`;
}

/** @param tool may be two, as `nginx + curl`; their versions are joined likewise. */
function withVersion(tool: string, version: string): string {
  const versions = version.split(" + ");
  return tool
    .split(" + ")
    .map((name, index) => `${name} ${versions[index] ?? "?"}`)
    .join(" + ");
}
