// How long a file takes from one host to many: the real executables, each on a host of its own (a network namespace) behind
// a link of a given rate, p2pfile and its rivals in turns. Needs root and iproute2. Prints tables, adds a line to
// bench/results/fleet.jsonl for each preset played as it is by all.
// Usage: npm run bench -- fleet [PRESET]... [--leeches N] [--rate 200mbit] [--size 256M] [--stagger SECONDS]
//   [--slow HOSTS:FACTOR] [--runs N] [--only NAME,NAME] [--also NAME=EXECUTABLE]... [--dir DIRECTORY] [--results FILE]
// Presets: a (10 leeches, 200 Mbit/s, 256 MiB), b (10, 100 Mbit/s, 64 MiB), c (24, 50 Mbit/s, 64 MiB), d (c, started 1 s
// apart), e (b, one host at a tenth of the rate), f (b, two hosts with libtorrent and aria2 in p2pfile's swarm).
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pieceLengthFor } from "../src/core/torrent/piece-length.ts";
import { GiB, MiB } from "../src/lib/units.ts";
import { CONTENT_NAME } from "./contestants/contestant.ts";
import { fleetAria2 } from "./contestants/fleet-aria2.ts";
import type { FleetContestant } from "./contestants/fleet-contestant.ts";
import { fleetLibtorrent } from "./contestants/fleet-libtorrent.ts";
import { fleetMixed } from "./contestants/fleet-mixed.ts";
import { fleetNginx } from "./contestants/fleet-nginx.ts";
import { fleetBuildOf, fleetP2pfile } from "./contestants/fleet-p2pfile.ts";
import { Workspace } from "./lib/workspace.ts";
import { complain, orComplain } from "./lib/complain.ts";
import { writeContent } from "./lib/content-file.ts";
import { freeSpace } from "./lib/file-system.ts";
import {
  type FleetRuns,
  fleetTable,
  groupTable,
  milestoneTable,
  summarizeFleet,
} from "./lib/fleet-report.ts";
import { buildNetwork, type FleetRun, type FleetStage, runFleet } from "./lib/fleet-run.ts";
import { otherClientTable } from "./lib/fleet-other-clients.ts";
import { describeScenario, fleetFloor, type FleetScenario, scenarioOf } from "./lib/fleet-scenario.ts";
import { availableMemory, congestionControl, describeMachine } from "./lib/machine.ts";
import { isLimiting } from "./lib/machine-load.ts";
import { assertNamespaces, NetNamespaces, NotPossible, sweepDeadNamespaces } from "./lib/net-namespace.ts";
import { ownedFolder, sweepDeadFolders } from "./lib/owned-folder.ts";
import { parseRuns } from "./lib/record.ts";
import { appendResult, commandLine, resultsPath } from "./lib/result-lines.ts";
import { checkLink } from "./lib/shaped-link-check.ts";
import { sizeName } from "./lib/size.ts";
import { writeTorrent } from "./lib/torrent-file.ts";
import { SHARED_MEMORY } from "./lib/warm-pages.ts";

const CONTESTANTS: readonly FleetContestant[] = [fleetP2pfile, fleetLibtorrent, fleetAria2, fleetNginx];
/** A link that gives less than this is not what it is said to be: 0.956 are possible. */
const LEAST_SHARE = 0.93;

const { values: flags, positionals } = orComplain("fleet", () =>
  parseArgs({
    allowPositionals: true,
    options: {
      leeches: { type: "string" },
      rate: { type: "string" },
      size: { type: "string" },
      stagger: { type: "string" },
      slow: { type: "string" },
      runs: { type: "string", default: "1" },
      only: { type: "string" },
      also: { type: "string", multiple: true, default: [] },
      dir: { type: "string" },
      results: { type: "string" },
    },
  }),
);

interface Entry {
  readonly contestant: FleetContestant;
  readonly version: string | undefined;
  readonly runs: FleetRun[];
  problem: string | undefined;
}

/** In preset f there is one contestant, and p2pfile alone to compare it with. */
function contestantsOf({ otherClients }: FleetScenario): FleetContestant[] {
  const all = otherClients ? [fleetMixed, fleetP2pfile] : CONTESTANTS;
  const wanted = flags.only?.split(",");
  return [
    ...all.filter(({ name }) => wanted === undefined || wanted.some((word) => name.startsWith(word))),
    ...flags.also.map((pair) => {
      const [name = "", executable = ""] = pair.split("=");
      return fleetBuildOf(name, resolve(executable));
    }),
  ];
}

/** Memory where it fits. @throws where nothing does: better than to fill a disk or to make the machine swap. */
function placeFor({ leeches, size }: FleetScenario): string {
  const files = (leeches + 1) * size + 256 * MiB;
  const processes = leeches * 160 * MiB + GiB;
  const inMemory = Math.min(freeSpace(SHARED_MEMORY), availableMemory() - processes) >= files;
  const place = flags.dir ?? (inMemory ? SHARED_MEMORY : undefined);
  if (place === undefined)
    throw new NotPossible(`${sizeName(files)} do not fit the free memory: give --dir on a disk`);
  if (freeSpace(place) < files)
    throw new NotPossible(`${place}: ${sizeName(files)} do not fit; give another --dir`);
  return place;
}

async function playOnce(entry: Entry, stage: FleetStage, round: number): Promise<void> {
  if (entry.problem !== undefined) return;
  const { name } = entry.contestant;
  try {
    const run = await runFleet(entry.contestant, stage);
    entry.runs.push(run);
    entry.problem = run.problem;
    const done = run.hosts.filter(({ completed }) => completed !== undefined).length;
    const told = run.last === undefined ? `only ${done} hosts were done` : `${run.last.toFixed(2)} s`;
    console.error(`run ${round + 1}  ${name.padEnd(24)} ${told}`);
  } catch (error) {
    if (error instanceof NotPossible) throw error;
    entry.problem = error instanceof Error ? error.message : String(error);
  }
  if (entry.problem !== undefined) console.error(`${name}: ${entry.problem}`);
}

/** @returns payload by rate, between the seed and the first host. */
async function linkShare({ workspace, namespaces, scenario, folder }: FleetStage): Promise<number> {
  try {
    const [from, to] = buildNetwork(namespaces, {
      ...scenario,
      leeches: 1,
      slow: { count: 0, factor: 1 },
    }).hosts;
    if (from === undefined || to === undefined) throw new RangeError("a network without hosts");
    return (await checkLink(workspace, from, to, folder)).share;
  } finally {
    namespaces.removeAll();
  }
}

async function play(
  workspace: Workspace,
  namespaces: NetNamespaces,
  scenario: FleetScenario,
): Promise<boolean> {
  const folder = ownedFolder(workspace, placeFor(scenario));
  const content = join(folder, CONTENT_NAME);
  const torrent = join(folder, "content.torrent");
  writeContent(content, scenario.size);
  writeTorrent(torrent, content, scenario.size, pieceLengthFor(scenario.size));
  const stage: FleetStage = { workspace, namespaces, scenario, folder, content, torrent };
  console.error(`\n${describeScenario(scenario)}`);
  const share = await linkShare(stage);
  if (share < LEAST_SHARE)
    console.error(`warning: a link gives only ${share} of its rate to one TCP connection`);
  const entries = contestantsOf(scenario).map((contestant): Entry => {
    const version = contestant.version();
    return { contestant, version, runs: [], problem: version === undefined ? "not installed" : undefined };
  });
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const entry = entries[(turn + round) % entries.length];
      if (entry !== undefined) await playOnce(entry, stage, round);
    }
  }
  workspace.remove(folder);
  report(entries, scenario, share);
  return entries.every(({ version, problem }) => version === undefined || problem === undefined);
}

/** What is recorded can be compared: no preset was changed and no contestant left out or added. */
function isWhole({ name }: FleetScenario): boolean {
  return name !== "custom" && flags.only === undefined && flags.also.length === 0;
}

function report(entries: readonly Entry[], scenario: FleetScenario, linkShare: number): void {
  const all = entries.map(({ contestant, version, runs, problem }): FleetRuns => {
    return { name: contestant.name, version, runs, problem };
  });
  const results = summarizeFleet(all, scenario);
  const floor = fleetFloor(scenario);
  console.log(
    `\n${scenario.name}: ${describeScenario(scenario)}; ${rounds === 1 ? "1 run" : `${rounds} runs`}.`,
  );
  console.log(
    `Floor ${floor} s: the payload alone at the rate of the links. One TCP connection (${congestionControl()}) gets ${linkShare} of it.\n`,
  );
  console.log(fleetTable(results));
  for (const table of [groupTable(results), otherClientTable(results), milestoneTable(results)])
    if (table !== undefined) console.log(`\n${table}`);
  if (results.some(({ runs }) => runs.some(({ load }) => isLimiting(load))))
    console.log(
      '\n(!) The processors of this machine were the limit, not the links. What is not "by them" was the kernel or other work.',
    );
  for (const { name, problem } of all) if (problem !== undefined) console.log(`\n${name}: ${problem}`);
  const path = flags.results ?? (isWhole(scenario) ? resultsPath("fleet") : undefined);
  if (path === undefined) {
    console.log("\nNot recorded: not a preset as it is, with all that take part. Give --results FILE.");
    return;
  }
  appendResult(path, {
    date: new Date().toISOString(),
    command: commandLine("fleet"),
    machine: describeMachine(),
    congestionControl: congestionControl(),
    versions: { bun: Bun.version, ...Object.fromEntries(all.map(({ name, version }) => [name, version])) },
    scenario,
    pieceLength: pieceLengthFor(scenario.size),
    floor,
    linkShare,
    rounds,
    results,
    missing: all.flatMap(({ name, problem, runs }) =>
      problem === undefined ? [] : [{ name, problem, runs }],
    ),
  });
}

const rounds = orComplain("fleet", () => parseRuns(flags.runs));
const scenarios = orComplain("fleet", () => {
  const presets = positionals.length === 0 ? [undefined] : positionals;
  const all = presets.map((preset) => scenarioOf(preset, flags));
  assertNamespaces();
  sweepDeadNamespaces();
  sweepDeadFolders(flags.dir ?? SHARED_MEMORY);
  return all;
});
const workspace = new Workspace();
const namespaces = new NetNamespaces();
let allWell = true;
try {
  for (const scenario of scenarios) allWell = (await play(workspace, namespaces, scenario)) && allWell;
} catch (error) {
  if (error instanceof NotPossible) complain("fleet", error);
  throw error;
} finally {
  await workspace.close();
  namespaces.removeAll();
}
process.exit(allWell ? 0 : 1);
