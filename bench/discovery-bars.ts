// What a discovery benchmark measures: one function for each bar, each playing one round and returning its samples, in
// seconds. Times of events are those that p2pfile prints; connections are counted in the kernel's own list of them.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { CONTENT_NAME, SEED_TIMEOUT_MS } from "./contestants/contestant.ts";
import { type Crew, type Node, type Place, type Spot, startNode } from "./discovery-hosts.ts";
import { eventPattern, milestonesOf, timeOfEvent } from "./lib/json-events.ts";
import { type Load, LoadMeter } from "./lib/machine-load.ts";
import { tcpSocketCount, tcpTable, type TcpEntry } from "./lib/tcp-table.ts";

export interface Stage {
  readonly crew: Crew;
  readonly place: Place;
  /** Empty; the round may leave what it likes. */
  readonly folder: string;
  /** The file to serve. */
  readonly content: string;
  /** Processes that are started together. */
  readonly processes: number;
}

/** Samples by the name of what was measured. Infinity for what did not happen in time. */
export type Samples = ReadonlyMap<string, readonly number[]>;

export interface Round {
  readonly samples: Samples;
  /** Of bars with many processes, where the processors may be what is measured. */
  readonly load?: Load;
}

export interface Bar {
  readonly name: string;
  /** A line for the reader. */
  readonly what: string;
  /** `round` counts from 0. */
  readonly play: (stage: Stage, round: number) => Promise<Round>;
}

/** No discovery may take as long. */
const TIMEOUT_MS = 60_000;
const POLL_MS = 20;
/** A host of its own that seems to have enough peers and has not is looked at again after this. */
const CLOSE_LOOK_MS = 500;
/** On loopback all connections are read in one list, which is too dear to be read often. */
const TABLE_POLL_MS = 100;
/** Connected peers that let a process go on at full speed. */
const ENOUGH_PEERS = 8;
/** So slow, in MiB/s, that no peer is done before all have found each other. */
const SLOW = "1";
/** Seconds that the leecher waits for its seed, by round: also longer than the longest back-off. */
const WAITS = [0.5, 1.5, 3, 5, 8, 12];
/** Seconds that the seed is away, by round. */
const ABSENCES = [0.5, 2, 4, 7];
const DEAD_PORT = 42_070;

export const BARS: readonly Bar[] = [
  { name: "together", what: "processes started together: exec to first verified piece", play: together },
  { name: "peers", what: `processes started together: exec to ${ENOUGH_PEERS} connected peers`, play: peers },
  {
    name: "seed-last",
    what: "leecher first, then its seed: exec of the seed to first piece",
    play: seedLast,
  },
  { name: "seed-again", what: "seed killed and started again: exec to the next block", play: seedAgain },
  {
    name: "dead-pe",
    what: "magnet's address dead, another node by --peers: exec to first piece",
    play: deadPe,
  },
];

async function together(stage: Stage): Promise<Round> {
  const { magnet } = await startSeed(stage, stage.place.next());
  const { nodes, load } = startMany(stage, magnet);
  await Promise.all(nodes.map((node) => waitForEvent(node, "firstPiece")));
  const busy = load.stop();
  const all = nodes.map(({ child, started }) => milestonesOf(child.output, started));
  const of = (pick: (one: (typeof all)[number]) => number | undefined) =>
    all.map((one) => pick(one) ?? Number.POSITIVE_INFINITY);
  const samples = new Map([
    ["first peer", of(({ firstPeer }) => firstPeer)],
    ["metadata", of(({ metadata }) => metadata)],
    ["first piece", of(({ firstPiece }) => firstPiece)],
  ]);
  return { samples, load: busy };
}

async function peers(stage: Stage): Promise<Round> {
  const { magnet } = await startSeed(stage, stage.place.next(), ["--upload-limit", SLOW]);
  const { nodes, load } = startMany(stage, magnet, ["--download-limit", SLOW]);
  const reached = new Map<Node, number>();
  const looked = new Map<Node, number>();
  const deadline = Date.now() + TIMEOUT_MS;
  while (reached.size < nodes.length && Date.now() < deadline) {
    await Bun.sleep(stage.place.kind === "loopback" ? TABLE_POLL_MS : POLL_MS);
    const waiting = nodes.filter((node) => !reached.has(node));
    const now = Date.now();
    for (const node of wellConnected(waiting, stage.place, looked))
      reached.set(node, (now - node.started) / 1000);
  }
  const times = nodes.map((node) => reached.get(node) ?? Number.POSITIVE_INFINITY);
  return { samples: new Map([[`${ENOUGH_PEERS} peers`, times]]), load: load.stop() };
}

async function seedLast(stage: Stage, round: number): Promise<Round> {
  const spot = stage.place.next();
  const first = await startSeed(stage, spot);
  await stage.crew.end(first.node.child);
  const leech = startLeech(stage, stage.place.next(), "leech", first.magnet);
  const wait = WAITS[round % WAITS.length] ?? 0;
  await Bun.sleep(wait * 1000);
  const { node: seed } = await startSeed(stage, spot);
  const time = (await waitForEvent(leech, "firstPiece")) - seed.started;
  return { samples: new Map([["first piece", [time / 1000]]]) };
}

async function seedAgain(stage: Stage, round: number): Promise<Round> {
  const spot = stage.place.next();
  const limit = ["--upload-limit", SLOW];
  const first = await startSeed(stage, spot, limit);
  const leech = startLeech(stage, stage.place.next(), "leech", first.magnet);
  await waitForEvent(leech, "firstPiece");
  await stage.crew.end(first.node.child);
  const absence = ABSENCES[round % ABSENCES.length] ?? 0;
  await Bun.sleep(absence * 1000);
  const part = partFileIn(leech.folder);
  const before = statSync(part).mtimeMs;
  const { node: seed } = await startSeed(stage, spot, limit);
  const deadline = Date.now() + TIMEOUT_MS;
  while (statSync(part).mtimeMs === before && Date.now() < deadline) await Bun.sleep(POLL_MS / 4);
  const after = statSync(part).mtimeMs;
  const time = after === before ? Number.POSITIVE_INFINITY : (after - seed.started) / 1000;
  return { samples: new Map([["next block", [time]]]) };
}

async function deadPe(stage: Stage): Promise<Round> {
  const { node: seed, magnet } = await startSeed(stage, stage.place.next());
  const alive = /x\.pe=([\d.]+:\d+)/.exec(magnet)?.[1] ?? "";
  const fetch = async (name: string, spot: Spot) => {
    const dead = magnet.replace(alive, `${spot.address}:${DEAD_PORT}`);
    const leech = startLeech(stage, stage.place.next(), name, dead, ["--peers", alive]);
    const time = (await waitForEvent(leech, "firstPiece")) - leech.started;
    await stage.crew.end(leech.child);
    return time / 1000;
  };
  const refused = await fetch("refused", stage.place.next());
  const spot = stage.place.next();
  const mute = [
    process.execPath,
    join(import.meta.dir, "discovery-mute.ts"),
    spot.address,
    String(DEAD_PORT),
  ];
  const child = stage.crew.spawn(spot.on(mute), { cwd: stage.folder, log: join(stage.folder, "mute") });
  await child.waitForOutput(/^(ready)$/m, SEED_TIMEOUT_MS);
  const silent = await fetch("silent", spot);
  await stage.crew.end(child);
  await stage.crew.end(seed.child);
  return {
    samples: new Map([
      ["address refuses", [refused]],
      ["address is silent", [silent]],
    ]),
  };
}

/** Served from the same folder it has the same port again. */
async function startSeed(
  { crew, folder, content }: Stage,
  spot: Spot,
  more: readonly string[] = [],
): Promise<{ node: Node; magnet: string }> {
  const node = startNode(crew, spot, join(folder, "seed"), ["serve", ...more, content]);
  const magnet = await node.child.waitForOutput(/"magnet":"([^"]+)"/, SEED_TIMEOUT_MS);
  return { node, magnet };
}

function startLeech(
  { crew, folder }: Stage,
  spot: Spot,
  name: string,
  magnet: string,
  more: readonly string[] = [],
): Node {
  const seeding = ["--seeding", "--seeding-time", "3600", "--seeding-ratio", "1000000"];
  return startNode(crew, spot, join(folder, name), ["download", ...seeding, ...more, magnet]);
}

/** All places are there before the first process starts: to build a host takes longer than to start a process. */
function startMany(
  stage: Stage,
  magnet: string,
  more: readonly string[] = [],
): { nodes: Node[]; load: LoadMeter } {
  const spots = Array.from({ length: stage.processes }, () => stage.place.next());
  const load = new LoadMeter();
  return { nodes: spots.map((spot, i) => startLeech(stage, spot, `leech${i}`, magnet, more)), load };
}

/** @returns its time, in milliseconds since 1970. */
async function waitForEvent({ child }: Node, event: string): Promise<number> {
  await child.waitForOutput(eventPattern(event), TIMEOUT_MS);
  return timeOfEvent(child.output, event) ?? Number.POSITIVE_INFINITY;
}

function partFileIn(folder: string): string {
  const name = readdirSync(folder).find((name) => name.startsWith(`.${CONTENT_NAME}`));
  if (name === undefined) throw new Error(`${folder}: no part file`);
  return join(folder, name);
}

/** Those of `nodes` that have enough peers by now. `looked` is when each was looked at closely, and is kept by this. */
function wellConnected(nodes: readonly Node[], { kind }: Place, looked: Map<Node, number>): Node[] {
  if (kind === "loopback") {
    const table = tcpTable("self");
    return nodes.filter((node) => connectedPeers(node, table) >= ENOUGH_PEERS);
  }
  const now = Date.now();
  return nodes.filter((node) => {
    // One socket more: it listens. Two nodes that dial each other have two for a moment, so a close look has to follow.
    if (tcpSocketCount(node.child.pid) <= ENOUGH_PEERS) return false;
    if (now - (looked.get(node) ?? 0) < CLOSE_LOOK_MS) return false;
    looked.set(node, now);
    return connectedPeers(node, tcpTable(node.child.pid)) >= ENOUGH_PEERS;
  });
}

/** Other addresses to which a node has an established connection. */
function connectedPeers({ spot }: Node, table: readonly TcpEntry[]): number {
  const own = table.filter(
    ({ local, state }) => state === "established" && local.startsWith(`${spot.address}:`),
  );
  return new Set(own.map(({ remote }) => remote.split(":")[0])).size;
}
