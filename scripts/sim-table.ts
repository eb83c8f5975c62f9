// `npm run sim`: plays the fleets of test/sim/fleets.ts and writes the table of docs/FLEETS.md. Takes some minutes.
//
//   npm run sim -- ten thousand     only these groups, printed and not written
//   SIM_SEEDS=1,2,3 npm run sim     other random seeds; each row is the median over them
import { join } from "node:path";
import { FLEETS } from "../test/sim/fleets.ts";
import { play } from "../test/sim/scenario.ts";

const root = join(import.meta.dir, "..");
const PAGE = join(root, "docs", "FLEETS.md");
const BEGIN = "<!-- made by npm run sim: begin -->";
const END = "<!-- made by npm run sim: end -->";
const HEAD = [
  "| file, pieces | links | leechers | scenario | floor s | last ÷ floor | median ÷ floor | copies from seeds | duplicates | seeds of chance |",
  "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | --- |",
];

const [mode, ...names] = process.argv.slice(2);
const seeds = (process.env["SIM_SEEDS"] ?? "1,2,3").split(",").map(Number);
if (mode === "--group") playGroup(names[0] ?? "");
else await main([mode, ...names].filter((name) => name !== undefined));

async function main(wanted: readonly string[]): Promise<void> {
  const rows: string[] = [];
  for (const group of FLEETS) {
    if (wanted.length > 0 && !wanted.includes(group.name)) continue;
    const started = performance.now();
    rows.push(...(await playInProcess(group.name, group.blockFactor)));
    console.info(`${group.name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  const table = [...HEAD, ...rows].join("\n");
  console.info(table);
  if (wanted.length > 0) return;
  const page = await Bun.file(PAGE).text();
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for the table`);
  await Bun.write(PAGE, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
  // The formatter aligns the columns.
  await Bun.spawn([join(root, "node_modules", ".bin", "oxfmt"), PAGE]).exited;
}

/** Coarse blocks hold for a whole process: each group has its own. */
async function playInProcess(name: string, blockFactor: number): Promise<string[]> {
  const coarse = join(root, "test", "sim", "coarse-blocks.ts");
  const child = Bun.spawn([process.execPath, "--preload", coarse, import.meta.path, "--group", name], {
    env: { ...process.env, SIM_BLOCK_FACTOR: String(blockFactor) },
    stdout: "pipe",
    stderr: "inherit",
  });
  const rows = (await child.stdout.text()).split("\n").filter((line) => line.startsWith("|"));
  if ((await child.exited) !== 0) throw new Error(`the fleets of "${name}" failed`);
  return rows;
}

function playGroup(name: string): void {
  for (const scenario of FLEETS.find((group) => group.name === name)?.scenarios ?? []) {
    const chosen = scenario.leechers > 200 ? seeds.slice(0, 1) : seeds;
    const runs = chosen.map((seed) => play(scenario, seed));
    const stuck = runs.find((run) => run.unfinished > 0);
    if (stuck !== undefined) {
      throw new Error(
        `${scenario.name}, seed ${stuck.randomSeed}: ${stuck.unfinished} machines never finished`,
      );
    }
    const middle = (figure: (run: (typeof runs)[number]) => number) =>
      runs.map((run) => figure(run)).toSorted((a, b) => a - b)[runs.length >> 1] ?? Number.NaN;
    const { geometry, leechers, rate } = scenario;
    const cells = [
      `${geometry.length / 2 ** 20} MiB, ${geometry.pieceCount} × ${geometry.pieceLength / 2 ** 10} KiB`,
      `${rate / 1e6} MB/s`,
      leechers,
      scenario.name,
      (middle((run) => run.floorMs) / 1000).toFixed(1),
      middle((run) => run.lastMs / run.floorMs).toFixed(2),
      middle((run) => run.median).toFixed(2),
      middle((run) => run.copies).toFixed(2),
      `${(middle((run) => run.duplicates) * 100).toFixed(1)} %`,
      chosen.join(", "),
    ];
    console.info(`| ${cells.join(" | ")} |`);
  }
}
