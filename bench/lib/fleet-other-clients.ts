// How another client fares in a swarm of p2pfile: its time beside that of p2pfile's own hosts in the same swarm.
import { type FleetResult, ownTime } from "./fleet-report.ts";
import { markdownTable } from "./markdown-table.ts";
import { median, pairwise, type Spread, spreadOf, toldSpread } from "./statistics.ts";

/** The bar: so many times the time of a host with p2pfile, in the worst run. */
const MAX_RATIO = 1.5;
/** Kind of the hosts that the others are compared with. */
const OURS = "p2pfile";

type Swarm = Pick<FleetResult, "name" | "runs">;

/** Hosts of one kind. Seconds from each host's own start; where there are several of a kind, their median in each run. */
export interface StrangerFigures {
  readonly kind: string;
  readonly time: Spread;
  /** Of the hosts with p2pfile in the same swarm. */
  readonly ours: Spread;
  /** The one by the other, run by run. */
  readonly ratio: Spread;
}

/** Of the runs in which all were done. Empty where p2pfile is by itself or not there at all. */
export function otherClientsOf({ runs }: Swarm): StrangerFigures[] {
  const whole = runs.filter(({ last }) => last !== undefined);
  const kinds = [...new Set(whole.flatMap(({ hosts }) => hosts.map(({ kind }) => kind)))];
  if (!kinds.includes(OURS)) return [];
  const timesOf = (wanted: string) =>
    whole.map(({ hosts }) => median(hosts.filter(({ kind }) => kind === wanted).map(ownTime)));
  const ours = timesOf(OURS);
  return kinds
    .filter((kind) => kind !== OURS)
    .map((kind) => {
      const times = timesOf(kind);
      return { kind, time: spreadOf(times), ours: spreadOf(ours), ratio: spreadOf(pairwise(times, ours)) };
    });
}

/** Undefined where there are no other clients. */
export function otherClientTable(results: readonly Swarm[]): string | undefined {
  const rows = results.flatMap((result) =>
    otherClientsOf(result).map(({ kind, time, ours, ratio }) => [
      `${result.name}: ${kind}`,
      toldSpread(time, 1),
      toldSpread(ours, 1),
      toldSpread(ratio),
      ratio.max <= MAX_RATIO ? "yes" : "NO",
    ]),
  );
  const header = ["a client's time", "s", `s of ${OURS} beside it`, "ratio", `at most ${MAX_RATIO}`];
  return rows.length === 0 ? undefined : markdownTable(header, rows);
}
