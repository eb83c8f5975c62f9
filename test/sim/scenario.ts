// One experiment with a fleet: its machines, when they start and leave, the best possible time, and the figures. A scenario is
// data; the same scenario with the same random seed gives the same figures.
import type { Geometry } from "../../src/core/torrent/geometry.ts";
import type { SimHost } from "./sim-host.ts";
import { Swarm } from "./swarm.ts";

export interface Scenario {
  readonly name: string;
  readonly geometry: Geometry;
  readonly leechers: number;
  /** Bytes per second of an ordinary link, each way. */
  readonly rate: number;
  /** @default 1 */
  readonly seeds?: number;
  /** How much faster than `rate` the seeds' links are. @default 1 */
  readonly seedFactor?: number;
  /** Every second leecher has a tenth of the rate. */
  readonly mixed?: boolean;
  /** Leechers are started evenly over this many times the floor of one. @default 0, all at once */
  readonly staggered?: number;
  /** A tenth of the leechers starts at once; the others start together when half of the pieces are outside of the seeds. */
  readonly flashCrowd?: boolean;
  /** This share of the leechers vanishes at random times before the floor. @default 0 */
  readonly leaving?: number;
  /** Leechers end when they have the file, as `download` without `--seeding` does. */
  readonly leaveWhenDone?: boolean;
  /** Milliseconds from a machine to the middle of the network. */
  readonly delayMs?: number;
}

export interface Figures {
  readonly scenario: Scenario;
  readonly randomSeed: number;
  /** Machines that stayed and are not complete: anything but 0 is a failure. */
  readonly unfinished: number;
  /** The best possible time of the last machine, and its time, in milliseconds from the start of the run. */
  readonly floorMs: number;
  readonly lastMs: number;
  /** Median over the machines with ordinary links: time from the machine's start ÷ its floor. */
  readonly median: number;
  /** Payload sent by the seeds ÷ the file's length. */
  readonly copies: number;
  /** Payload that staying machines received beyond the file ÷ the file's length, on average. */
  readonly duplicates: number;
  readonly happened: number;
  readonly swarm: Swarm;
}

/** Virtual time after which a run counts as stuck: this many times the floor, and a minute. */
const STUCK_FLOORS = 20;

export function play(scenario: Scenario, randomSeed: number): Figures {
  const { geometry, rate } = scenario;
  const swarm = new Swarm({ geometry, randomSeed });
  const alone = (geometry.length / rate) * 1000;
  const delayMs = scenario.delayMs ?? 0.1;
  for (let i = 0; i < (scenario.seeds ?? 1); i++) {
    const up = rate * (scenario.seedFactor ?? 1);
    swarm.add({ isSeed: true, up, down: up, delayMs });
  }
  const first = scenario.flashCrowd === true ? Math.ceil(scenario.leechers / 10) : scenario.leechers;
  for (let i = 0; i < scenario.leechers; i++) {
    const own = scenario.mixed === true && i % 2 === 1 ? rate / 10 : rate;
    const staggeredAt = (alone * (scenario.staggered ?? 0) * i) / scenario.leechers;
    swarm.add({ up: own, down: own, delayMs, startAt: i < first ? staggeredAt : Number.POSITIVE_INFINITY });
  }
  const leechers = swarm.hosts.filter((host) => !host.isSeed);
  if (first < leechers.length) startRest(swarm, leechers.slice(first));
  const leavers = leechers.slice(0, Math.round(leechers.length * (scenario.leaving ?? 0)));
  for (const host of leavers) swarm.queue.plan(swarm.random() * alone, () => swarm.remove(host));
  if (scenario.leaveWhenDone === true)
    swarm.onCompleted = (host) => swarm.queue.plan(0, () => swarm.remove(host));

  const staying = leechers.filter((host) => !leavers.includes(host));
  let missing = staying.length;
  const before = swarm.onCompleted;
  swarm.onCompleted = (host) => {
    if (!leavers.includes(host)) missing--;
    before(host);
  };
  swarm.run(60_000 + STUCK_FLOORS * alone * (scenario.mixed === true ? 10 : 1), () => missing === 0);
  return figuresOf(scenario, randomSeed, swarm, staying);
}

/** Starts the rest when a leecher has every second piece. */
function startRest(swarm: Swarm, rest: readonly SimHost[]): void {
  const atLeechers = new Set<number>();
  swarm.onVerified = (_host, piece) => {
    atLeechers.add(piece);
    if (atLeechers.size * 2 < swarm.geometry.pieceCount) return;
    swarm.onVerified = () => {};
    for (const host of rest) swarm.start(host);
  };
}

function figuresOf(
  scenario: Scenario,
  randomSeed: number,
  swarm: Swarm,
  staying: readonly SimHost[],
): Figures {
  const { length } = scenario.geometry;
  const seeds = swarm.hosts.filter((host) => host.isSeed);
  const seedUp = sum(seeds.map((seed) => seed.up));
  const done = staying.flatMap((host) => (host.doneAt === undefined ? [] : [{ host, doneAt: host.doneAt }]));
  const own = done
    .filter(({ host }) => host.down === scenario.rate / 1000)
    .map(
      ({ host, doneAt }) =>
        (doneAt - host.startedAt) / Math.max(length / host.down, length / seedUp - host.startedAt),
    );
  return {
    scenario,
    randomSeed,
    unfinished: staying.length - done.length,
    floorMs: floorOf(length, seeds, staying),
    lastMs: Math.max(...done.map(({ doneAt }) => doneAt)),
    median: own.toSorted((a, b) => a - b)[own.length >> 1] ?? Number.NaN,
    copies: sum(seeds.map((seed) => seed.sentBytes)) / length,
    duplicates:
      sum(staying.map((host) => Math.max(0, host.receivedBytes - length))) / (length * staying.length),
    happened: swarm.queue.happened,
    swarm,
  };
}

/**
 * A lower bound, in milliseconds, for the time until every machine has the file: each byte leaves a seed once; each machine
 * receives the file through its own downlink, from its start; and all copies pass through the uplinks of the machines that run.
 */
export function floorOf(length: number, seeds: readonly SimHost[], leechers: readonly SimHost[]): number {
  const seedUp = sum(seeds.map((seed) => seed.up));
  const ownLinks = leechers.map((host) => host.startedAt + length / host.down);
  const together =
    (length * leechers.length + sum(leechers.map((host) => host.startedAt * host.up))) /
    (seedUp + sum(leechers.map((host) => host.up)));
  return Math.max(length / seedUp, together, ...ownLinks);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
