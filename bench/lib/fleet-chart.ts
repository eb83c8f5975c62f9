// The picture of fleet results: hosts that have the file over time, a panel for each preset.
import type { FleetResult } from "./fleet-report.ts";
import type { FleetRun } from "./fleet-run.ts";
import { describeScenario, type FleetScenario } from "./fleet-scenario.ts";
import { type LineChart, lineChart, type LinePanel } from "./line-chart.ts";
import type { Machine } from "./machine.ts";
import { isLimiting } from "./machine-load.ts";

export interface FleetLine {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly scenario: FleetScenario;
  /** Seconds. */
  readonly floor: number;
  readonly linkShare: number;
  readonly rounds: number;
  readonly results: readonly FleetResult[];
  readonly missing: readonly { readonly name: string }[];
}

/** In this order everywhere, so that a program keeps its colour. Others come after them. */
const ORDER = ["p2pfile", "libtorrent", "aria2", "nginx + curl"];

/** @returns the SVG of the latest line of each preset; undefined when there is none with results. */
export function fleetPicture(all: readonly FleetLine[]): string | undefined {
  const latest = new Map<string, FleetLine>();
  for (const line of all) if (line.results.length > 0) latest.set(line.scenario.name, line);
  const lines = [...latest.values()].toSorted((a, b) => a.scenario.name.localeCompare(b.scenario.name));
  return lines.length === 0 ? undefined : lineChart(chartOf(lines));
}

function chartOf(lines: readonly FleetLine[]): LineChart {
  const missing = [...new Set(lines.flatMap((line) => line.missing.map(({ name }) => name)))];
  const limited = lines.filter(({ results }) =>
    results.some(({ runs }) => runs.some(({ load }) => isLimiting(load))),
  );
  return {
    title: "One file to a fleet: hosts that have it, over time",
    panels: lines.map(panelOf),
    footnotes: [
      "Each host is a network namespace with a link shaped both ways. Floor: the payload alone at the rate of the links; headers make 1.046 times that.",
      ...(lines.some(({ rounds }) => rounds > 1) ? ["Of several runs the one with the median time."] : []),
      ...limited.map(
        ({ scenario }) => `In ${scenario.name} the processors were the limit for at least one program.`,
      ),
      ...(missing.length > 0 ? [`Without: ${missing.join(", ")}.`] : []),
      ...new Set(lines.map(whereAndWhen)),
    ],
  };
}

function panelOf({ scenario, floor, results }: FleetLine): LinePanel {
  return {
    title: `${scenario.name}: ${describeScenario(scenario)}`,
    axis: "seconds since the first host started; further left is better",
    count: scenario.leeches,
    mark: { at: floor, label: `floor ${floor.toFixed(1)} s` },
    lines: results
      .map(({ name, last, timesFloor, runs }) => ({
        label: name,
        note: `last host after ${last.median.toFixed(1)} s, ${timesFloor.toFixed(2)} × the floor`,
        times: typical(runs, last.median).hosts.flatMap(({ completed }) => completed ?? []),
        style: styleOf(name),
      }))
      .toSorted((a, b) => a.style - b.style),
  };
}

function styleOf(name: string): number {
  const position = ORDER.indexOf(name);
  return position === -1 ? ORDER.length : position;
}

/** The run whose time is nearest to `seconds`. There is one: a result is of at least one whole run. */
function typical(runs: readonly FleetRun[], seconds: number): FleetRun {
  const distance = ({ last }: FleetRun) => Math.abs((last ?? Number.POSITIVE_INFINITY) - seconds);
  return runs.reduce((best, run) => (distance(run) < distance(best) ? run : best));
}

function whereAndWhen({ date, machine, versions }: FleetLine): string {
  const tools = ORDER.flatMap((name) => {
    const version = versions[name];
    return version === undefined ? [] : [`${name} ${version}`];
  });
  const { cores, cpu, kernel } = machine;
  return `${cores} cores of ${cpu}, Linux ${kernel.split("-")[0]}, ${tools.join(", ")}, ${date.slice(0, 10)}.`;
}
