// From the runs of a fleet to what is written down of them: time and its multiple of the floor, spreads, tables.
import type { FleetRun, HostFigures } from "./fleet-run.ts";
import { fleetFloor, type FleetScenario, hostFloor } from "./fleet-scenario.ts";
import { MILESTONES } from "./json-events.ts";
import { isLimiting } from "./machine-load.ts";
import { markdownTable } from "./markdown-table.ts";
import { median, quantile, rounded, type Spread, spreadOf } from "./statistics.ts";

export interface FleetRuns {
  readonly name: string;
  readonly version: string | undefined;
  readonly runs: readonly FleetRun[];
  /** Why it has no runs, or fewer than others. */
  readonly problem: string | undefined;
}

/** Hosts of one kind, over all runs. Seconds from each host's own start. */
export interface GroupFigures {
  readonly group: string;
  readonly hosts: number;
  readonly time: Spread;
  /** Of the slowest of them, by the time that the payload takes through its link. */
  readonly timesFloor: number;
}

export interface FleetResult {
  readonly name: string;
  readonly version: string | undefined;
  /** Seconds from the first start until the last host is done; of the runs in which all were. */
  readonly last: Spread;
  readonly timesFloor: number;
  readonly groups: readonly GroupFigures[];
  /** Bytes that left the seed's host, with headers, by the size: one copy is 1.046. */
  readonly seedCopies: number;
  readonly cpu: Spread;
  readonly runs: readonly FleetRun[];
}

/** Of the contestants that got everywhere in at least one run. */
export function summarizeFleet(all: readonly FleetRuns[], scenario: FleetScenario): FleetResult[] {
  return all.flatMap(({ name, version, runs }) => {
    const whole = runs.filter(({ last }) => last !== undefined);
    if (whole.length === 0) return [];
    const last = spreadOf(whole.map((run) => run.last ?? Number.NaN));
    return [
      {
        name,
        version,
        last,
        timesFloor: rounded(last.median / fleetFloor(scenario), 3),
        groups: groupsOf(whole, scenario),
        seedCopies: rounded(median(whole.map(({ seedSent }) => seedSent)) / scenario.size, 2),
        cpu: spreadOf(whole.map(({ cpu }) => cpu)),
        runs,
      },
    ];
  });
}

function groupsOf(runs: readonly FleetRun[], scenario: FleetScenario): GroupFigures[] {
  const groups = Map.groupBy(
    runs.flatMap(({ hosts }) => hosts),
    ({ kind, slow }) => `${kind}${slow ? ", slow link" : ""}`,
  );
  return Array.from(groups, ([group, hosts]) => ({
    group,
    hosts: hosts.length / runs.length,
    time: spreadOf(hosts.map(ownTime)),
    timesFloor: rounded(Math.max(...hosts.map((host) => ownTime(host) / hostFloor(scenario, host.index))), 3),
  }));
}

/** Seconds from its own start. */
export function ownTime({ completed, started }: HostFigures): number {
  return (completed ?? Number.NaN) - started;
}

export function fleetTable(results: readonly FleetResult[]): string {
  const header = [
    "",
    "last host s",
    "÷ floor",
    "first s",
    "median s",
    "seed sent ÷ size",
    "CPU s",
    "seed's",
    "cores busy",
    "by them",
    "all busy",
    "dropped",
  ];
  return markdownTable(header, results.map(rowOf));
}

function rowOf({ name, last, timesFloor, seedCopies, cpu, runs }: FleetResult): string[] {
  const whole = runs.filter((run) => run.last !== undefined);
  const times = whole.flatMap(({ hosts }) => hosts.map(ownTime));
  const mean = (pick: (run: FleetRun) => number) => median(whole.map(pick));
  return [
    name,
    told(last, whole.length),
    timesFloor.toFixed(2),
    Math.min(...times).toFixed(1),
    median(times).toFixed(1),
    seedCopies.toFixed(2),
    told(cpu, whole.length),
    mean(({ seedCpu }) => seedCpu).toFixed(1),
    `${mean(({ load }) => load.busyCores).toFixed(2)}${whole.some(({ load }) => isLimiting(load)) ? " (!)" : ""}`,
    mean(({ cpu, last = Number.NaN }) => cpu / last).toFixed(2),
    `${(mean(({ load }) => load.saturated) * 100).toFixed(0)} %`,
    String(mean(({ dropped }) => dropped)),
  ];
}

/** Empty when all hosts of each contestant are alike. */
export function groupTable(results: readonly FleetResult[]): string | undefined {
  if (results.every(({ groups }) => groups.length < 2)) return undefined;
  const rows = results.flatMap(({ name, groups }) =>
    groups.map(({ group, hosts, time, timesFloor }) => [
      group === name || group.startsWith(`${name},`) ? group : `${name}: ${group}`,
      String(hosts),
      time.min.toFixed(1),
      time.median.toFixed(1),
      time.max.toFixed(1),
      timesFloor.toFixed(2),
    ]),
  );
  return markdownTable(["by kind", "hosts", "first s", "median s", "last s", "÷ its floor"], rows);
}

/** Empty when no contestant tells. */
export function milestoneTable(results: readonly FleetResult[]): string | undefined {
  const rows = results.flatMap(({ name, runs }) => {
    const all = runs.flatMap(({ hosts }) => hosts.flatMap(({ milestones }) => milestones ?? []));
    if (all.length === 0) return [];
    return MILESTONES.map((milestone) => {
      const values = all.flatMap((one) => one[milestone] ?? []);
      const figure = (share: number) => quantile(values, share).toFixed(3);
      return [`${name}: ${milestone}`, figure(0.5), figure(0.95), figure(1), String(values.length)];
    });
  });
  return rows.length === 0 ? undefined : markdownTable(["s from exec", "p50", "p95", "max", "hosts"], rows);
}

function told({ median, min, max }: Spread, count: number): string {
  return count === 1 ? median.toFixed(1) : `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
}
