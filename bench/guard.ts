// What a transfer costs beside what is pinned for it (guard-pinned.json), which `npm test` guards: system calls of each
// side, and CPU time by that of a reference program. After a change that is meant, `--pin` writes the new figures.
// Usage: npm run bench -- guard [--pin] [--runs N] [--binary FILE]
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { GiB, MiB } from "../src/lib/units.ts";
import { buildOf, EXECUTABLE } from "./contestants/p2pfile.ts";
import {
  type Calls,
  countCalls,
  type CpuCost,
  measureCpu,
  prepareStage,
  type Side,
  WATCHED_CALLS,
} from "./guard-measure.ts";
import {
  callCeiling,
  cpuCeiling,
  excessCalls,
  excessCpu,
  pinned,
  PINNED_PATH,
  type Pinned,
} from "./guard-pinned.ts";
import { Workspace } from "./lib/workspace.ts";
import { describeMachine } from "./lib/machine.ts";
import { markdownTable } from "./lib/markdown-table.ts";
import { sizeName } from "./lib/size.ts";
import { median, rounded } from "./lib/statistics.ts";

/** Enough for the rates per GiB to be those of a long transfer, and a minute in all. */
const SIZE = 256 * MiB;
const CPU_ROUNDS = 3;
const SIDES = ["seed", "leech"] as const;
const CALLS = [...WATCHED_CALLS, "all"] as const;

const { values: flags } = parseArgs({
  options: {
    pin: { type: "boolean", default: false },
    runs: { type: "string" },
    binary: { type: "string", default: EXECUTABLE },
  },
});
const runs = Number(flags.runs ?? (flags.pin ? 3 : 1));
if (!(Number.isInteger(runs) && runs > 0)) throw new Error("--runs wants a number above 0");
const executable = resolve(flags.binary);
const version = buildOf("p2pfile", executable).version();
if (version === undefined) throw new Error(`${executable} does not run: \`npm run build\``);

/** The most of each call that any run needed: what differs from run to run must not fail a test. */
function most(all: readonly Readonly<Record<Side, Calls>>[], side: Side): Calls {
  const entries = CALLS.map((call) => [call, Math.max(...all.map((calls) => calls[side][call]))]);
  return Object.fromEntries(entries) as Calls;
}

function report(calls: Readonly<Record<Side, Calls>>, ratio: number): void {
  const perGiB = (count: number) => String(Math.round((count * GiB) / SIZE));
  const rows = SIDES.flatMap((side) =>
    CALLS.map((call) => {
      const [count, pin] = [calls[side][call], pinned.calls[side][call]];
      return [`${side} ${call}`, perGiB(count), String(count), String(pin), String(callCeiling(side, call))];
    }),
  );
  const cpu = [
    "CPU ÷ reference",
    "",
    ...[ratio, pinned.cpuRatio, cpuCeiling()].map((value) => value.toFixed(2)),
  ];
  const header = [`of ${sizeName(SIZE)}`, "per GiB", "measured", "pinned", "ceiling"];
  console.log(`\n${markdownTable(header, [...rows, cpu])}\n`);
}

const workspace = new Workspace();
let good = true;
try {
  const stage = prepareStage(workspace, SIZE);
  const counted: Readonly<Record<Side, Calls>>[] = [];
  const costs: CpuCost[] = [];
  for (let run = 1; run <= runs; run++) {
    counted.push(await countCalls(executable, stage));
    costs.push(await measureCpu(executable, stage, CPU_ROUNDS));
    const { transfer, reference, ratio } = costs.at(-1) ?? { transfer: 0, reference: 0, ratio: 0 };
    console.error(
      `run ${run}: ${transfer.toFixed(2)} CPU s of both sides, reference ${reference.toFixed(2)}, ratio ${ratio.toFixed(2)}`,
    );
  }
  const calls = { seed: most(counted, "seed"), leech: most(counted, "leech") };
  const ratio = rounded(median(costs.map((cost) => cost.ratio)), 2);
  report(calls, ratio);
  if (flags.pin) {
    const line: Pinned = {
      date: new Date().toISOString(),
      machine: describeMachine(),
      versions: { bun: Bun.version, p2pfile: version },
      size: SIZE,
      calls,
      cpuRatio: ratio,
    };
    writeFileSync(PINNED_PATH, `${JSON.stringify(line, undefined, 2)}\n`);
    console.log(`Pinned: ${PINNED_PATH}`);
  } else {
    const excess = [...excessCalls(calls), ...excessCpu({ transfer: 0, reference: 0, ratio })];
    for (const { what, measured, ceiling } of excess)
      console.log(`ABOVE  ${what}: ${measured}, at most ${ceiling}`);
    good = excess.length === 0;
  }
} finally {
  await workspace.close();
}
process.exit(good ? 0 : 1);
