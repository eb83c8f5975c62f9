// The picture of fleets: hosts that have the file over time, a panel for each preset.
import type { FleetResult } from "../lib/fleet-report.ts";
import type { FleetRun } from "../lib/fleet-run.ts";
import { describeScenario, type FleetScenario } from "../lib/fleet-scenario.ts";
import { isLimiting } from "../lib/machine-load.ts";
import type { Picture } from "./page.ts";
import { type ResultLine, whereAndWhen, withoutMissing } from "./results.ts";
import { stepPanel, type Steps } from "./steps.ts";

export interface FleetLine extends ResultLine {
  readonly scenario: FleetScenario;
  /** Seconds. */
  readonly floor: number;
  readonly results: readonly FleetResult[];
}

/** In this order everywhere, so that a program keeps its colour. Others come after them. */
const ORDER = ["p2pfile", "libtorrent", "aria2", "nginx + curl"];

/** @returns the latest line with results of each of the presets; undefined when there is none. */
export function fleetPicture(all: readonly FleetLine[], presets: readonly string[]): Picture | undefined {
  const lines = presets.flatMap(
    (preset) => all.findLast(({ scenario, results }) => scenario.name === preset && results.length > 0) ?? [],
  );
  if (lines.length === 0) return undefined;
  const limited = lines.filter(({ results }) =>
    results.some(({ runs }) => runs.some(({ load }) => isLimiting(load))),
  );
  return {
    title: "One file to a fleet: hosts that have it, over time",
    panels: lines.map((line) => stepPanel(stepsOf(line))),
    footnotes: [
      "Each host is a network namespace with a link shaped both ways. Floor: the payload alone at the rate of the links; headers make 1.046 times that.",
      ...(lines.some(({ rounds }) => rounds > 1) ? ["Of several runs the one with the median time."] : []),
      ...limited.map(
        ({ scenario }) => `In ${scenario.name} the processors were the limit for at least one program.`,
      ),
      ...withoutMissing(lines),
      ...new Set(lines.map((line) => whereAndWhen(line, ORDER))),
    ],
  };
}

function stepsOf({ scenario, floor, results }: FleetLine): Steps {
  return {
    title: `${scenario.name}: ${describeScenario(scenario)}`,
    counted: "hosts that have it",
    unit: "seconds since the first host started, further left is better",
    count: scenario.leeches,
    mark: { at: floor, label: `floor ${floor.toFixed(1)} s` },
    lines: results
      .map(({ name, last, timesFloor, runs }) => ({
        label: `${name}: last host after ${last.median.toFixed(1)} s, ${timesFloor.toFixed(2)} × the floor`,
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
