// Guards the cost of a transfer: system calls and processor time stay near the figures pinned in bench/guard-pinned.json. Both
// are in units that hardly depend on the machine, so the test holds everywhere.
//
// Tried with builds that were made worse on purpose, each once, on two cores with a load of fifteen processes:
//   READ_SPAN_LENGTH 128 KiB instead of 256      pread64 of the seed 3122 of 2847 allowed (before: 2159)
//   one write per block of 16 KiB in the worker  pwrite64 of the leech 16306 of 6481, all of the leech 24546 of 19299
//   eight SHA-1 more per block in the leech      CPU ratio 5.22 of 3.69 (before: 2.2 to 2.8)
// and, when peers asked for single blocks, READ_SPAN_LENGTH 16 KiB made 16408 pread64 of 1118 and 33250 futex of 4345.
//
// `npm run bench -- guard` shows all figures; after a change that is meant, `npm run bench -- guard --pin` pins them.
import { afterAll, expect, test } from "bun:test";
import { countCalls, measureCpu, prepareStage, type Side, WATCHED_CALLS } from "../../bench/guard-measure.ts";
import { type Excess, excessCalls, excessCpu, pinned } from "../../bench/guard-pinned.ts";
import { Workspace } from "../../bench/lib/workspace.ts";
import { binaryPath, staleness } from "../helpers/executable.ts";

const stale = staleness();
if (stale !== undefined) throw new Error(`${stale}: run \`npm run build\``);

const workspace = new Workspace();
const stage = prepareStage(workspace, pinned.size);
afterAll(() => workspace.close());

/** Other load on the machine only adds: a figure that is too high once and not the next time is not the program's. */
async function leastExcess(measure: () => Promise<readonly Excess[]>): Promise<readonly Excess[]> {
  const first = await measure();
  if (first.length === 0) return first;
  const second = new Set((await measure()).map(({ what }) => what));
  return first.filter(({ what }) => second.has(what));
}

const required = process.env["P2PFILE_REQUIRE_PEERS"] === "1";

test.skipIf(Bun.which("strace") === null && !required)(
  "a transfer makes no more system calls than what is pinned, with head-room",
  async () => {
    const excess = await leastExcess(async () => {
      const calls = await countCalls(binaryPath, stage);
      const list = (side: Side) => WATCHED_CALLS.map((call) => `${call} ${calls[side][call]}`).join(", ");
      for (const side of ["seed", "leech"] as const)
        console.info(`${side}: ${calls[side].all}: ${list(side)}`);
      return excessCalls(calls);
    });
    expect(excess).toEqual([]);
  },
);

test("a transfer takes no more processor time than what is pinned, by that of the reference program", async () => {
  const excess = await leastExcess(async () => {
    const cost = await measureCpu(binaryPath, stage, 3);
    console.info(
      `${cost.transfer.toFixed(2)} s, reference ${cost.reference.toFixed(2)} s, ${cost.ratio.toFixed(2)}`,
    );
    return excessCpu(cost);
  });
  expect(excess).toEqual([]);
});
