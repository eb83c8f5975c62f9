// Which runs get into the books, and what every line there begins with.
import { describeMachine } from "./machine.ts";
import { appendResult, commandLine, resultsPath } from "./result-lines.ts";
import type { Series } from "./rounds.ts";

/** With fewer runs the figures are for the eye, not for the books. */
export const RUNS_TO_RECORD = 5;

export interface RecordOptions {
  /** Of the benchmark. */
  readonly name: string;
  readonly rounds: number;
  /** Of the programs that took part, besides Bun. */
  readonly versions: Readonly<Record<string, string | undefined>>;
  /** `--results FILE`: the line goes there, however few rounds it is of. */
  readonly file: string | undefined;
}

/** Adds a line with date, command, machine, versions, those that are missing, and `more`; or says why it does not. */
export function record(
  { name, rounds, versions, file }: RecordOptions,
  all: readonly Series<unknown>[],
  more: object,
): void {
  if (rounds < RUNS_TO_RECORD && file === undefined) {
    console.log(`\nNot recorded: fewer than ${RUNS_TO_RECORD} runs.`);
    return;
  }
  appendResult(file ?? resultsPath(name), {
    date: new Date().toISOString(),
    command: commandLine(name),
    machine: describeMachine(),
    versions: { bun: Bun.version, ...versions },
    rounds,
    ...more,
    missing: all.flatMap(({ name, problem }) => (problem === undefined ? [] : [{ name, problem }])),
  });
}

/** @throws on anything but a whole number above 0. */
export function parseRuns(text: string): number {
  const runs = Number(text);
  if (!(Number.isInteger(runs) && runs > 0)) throw new Error("--runs wants a number above 0");
  return runs;
}
