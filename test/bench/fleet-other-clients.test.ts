import { describe, expect, test } from "bun:test";
import type { FleetRun, HostFigures } from "../../bench/lib/fleet-run.ts";
import { otherClientsOf, otherClientTable } from "../../bench/lib/fleet-other-clients.ts";
import { spreadOf } from "../../bench/lib/statistics.ts";

/** Hosts by their program and when each was done; all started at once but the last, a second later. */
function run(...hosts: readonly [string, number | undefined][]): FleetRun {
  const figures = hosts.map(([kind, completed], index): HostFigures => {
    const started = index === hosts.length - 1 ? 1 : 0;
    return { index: index + 1, kind, slow: false, started, completed, milestones: undefined };
  });
  const load = { busyCores: 0, saturated: 0, stolenCores: 0, ownCores: 0, cores: 2 };
  const last = hosts.every(([, completed]) => completed !== undefined) ? 9 : undefined;
  return { hosts: figures, last, seedSent: 0, dropped: 0, cpu: 0, seedCpu: 0, load, problem: undefined };
}

const mixed = [
  run(["p2pfile", 8], ["p2pfile", 10], ["p2pfile", 20], ["libtorrent", 12], ["aria2", 13]),
  run(["p2pfile", 10], ["p2pfile", 10], ["p2pfile", 10], ["libtorrent", 11], ["aria2", 17]),
  run(["p2pfile", 10], ["p2pfile", 10], ["p2pfile", 10], ["libtorrent", 99], ["aria2", undefined]),
];

describe("otherClientsOf", () => {
  test("is each client's time by the median of p2pfile's in the same run, of whole runs alone", () => {
    expect(otherClientsOf({ name: "mixed", runs: mixed })).toEqual([
      { kind: "libtorrent", time: spreadOf([12, 11]), ours: spreadOf([10, 10]), ratio: spreadOf([1.2, 1.1]) },
      { kind: "aria2", time: spreadOf([12, 16]), ours: spreadOf([10, 10]), ratio: spreadOf([1.2, 1.6]) },
    ]);
  });

  test("is nothing where p2pfile is by itself or not there", () => {
    expect(otherClientsOf({ name: "p2pfile", runs: [run(["p2pfile", 8], ["p2pfile", 9])] })).toEqual([]);
    expect(otherClientsOf({ name: "others", runs: [run(["aria2", 8], ["libtorrent", 9])] })).toEqual([]);
  });
});

test("the table says of each other client whether its worst run holds the bar, and is left out without any", () => {
  const rows = otherClientTable([{ name: "mixed", runs: mixed }])!
    .split("\n")
    .slice(2);
  expect(rows.map((row) => row.split("|").map((cell) => cell.trim()))).toEqual([
    ["", "mixed: libtorrent", "11.5 (11.0–12.0)", "10.0 (10.0–10.0)", "1.15 (1.10–1.20)", "yes", ""],
    ["", "mixed: aria2", "14.0 (12.0–16.0)", "10.0 (10.0–10.0)", "1.40 (1.20–1.60)", "NO", ""],
  ]);
  expect(otherClientTable([])).toBeUndefined();
});
