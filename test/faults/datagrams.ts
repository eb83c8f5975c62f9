// T10: the UDP side. Mutated datagrams, a flood from one address, forged tokens, unasked replies, endless announces: the node survives, does
// not amplify, stores nothing forged, and other nodes still find each other through it.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DATAGRAM_SOURCE_BURST, DATAGRAM_TOTAL_RATE } from "../../src/discovery/limits.ts";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { infoHashOfMagnet, type P2pfile } from "../helpers/binary.ts";
import { bencode, type BencodeValue } from "../helpers/torrent-file.ts";
import { type FaultJob, rounded, type Trial } from "./lib/job.ts";
import { cpuSeconds, finalState, memoryOf, startDownload, startServe } from "./lib/run.ts";

const MAX_AMPLIFICATION = 8;
const FOUND_MS = 2_000;
const GROWTH = 32 * MiB;
const FLOOD_PER_SECOND = 20_000;
const UNASKED_SOURCES = 100;
/** Processor time with what the system and Bun take for a datagram. Decoded ones take more than 150. */
const MAX_UNASKED_MICROSECONDS = 75;
const NAME = "disk.img";

export const datagramJob: FaultJob = {
  name: "T10 datagrams",
  async run(trial) {
    const { fixture } = trial;
    for (const what of ["datagrams", "deaths", "hangs", "forged stored"]) trial.set(what, 0);
    const file = makeBigFile(join(fixture.directory("source"), NAME), 4 * MiB, trial.seed);
    const target = startServe(fixture, file.path);
    const magnet = await target.magnet();
    const { host, port } = await target.waitForEvent("listening");
    const before = memoryOf(target.pid, "RssAnon");
    const prober = await Prober.open(fixture.address(), host, port);
    fixture.onEnd(() => prober.close());

    await mutated(trial, host, port);
    trial.expect(!target.hasExited, "deaths", `mutated: ${target.text("stderr")}`);
    await tokens(trial, host, port);
    const [sentBefore, gotBefore] = [prober.bytesOut, prober.bytesIn];
    const cpu = cpuSeconds(target.pid);
    const flood = floodFrom(trial, prober, trial.times(10, 5));
    await Bun.sleep(1_000);
    await findThroughNode(trial, target, magnet, file.sha256);
    await flood;
    trial.set("flood CPU s", rounded(cpuSeconds(target.pid) - cpu));
    const ratio = (prober.bytesIn - gotBefore) / Math.max(1, prober.bytesOut - sentBefore);
    trial.set("out / in of the flood", rounded(ratio, 3));
    trial.expect(ratio <= MAX_AMPLIFICATION, "amplifies", String(ratio));
    await unasked(trial, target, host, port);
    await announces(trial, fixture.address(), host, port);
    trial.expect(!target.hasExited, "deaths", target.text("stderr"));
    const grown = memoryOf(target.pid, "RssAnon") - before;
    trial.set("grown MiB", rounded(grown / MiB));
    trial.expect(grown < GROWTH, "too much memory", `${rounded(grown / MiB)} MiB`);
    await target.end();
  },
};

type Answer = { readonly text: string };

/** A UDP socket that queries one node. */
class Prober {
  bytesIn = 0;
  bytesOut = 0;
  readonly id = createHash("sha1").update(String(Math.random())).digest();
  readonly #socket: Bun.udp.ConnectedSocket<"buffer">;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  #next = 0;

  private constructor(socket: Bun.udp.ConnectedSocket<"buffer">) {
    this.#socket = socket;
  }

  static async open(from: string, host: string, port: number): Promise<Prober> {
    let prober: Prober | undefined;
    const socket = await Bun.udpSocket({
      hostname: from,
      connect: { hostname: host, port },
      socket: { data: (_, chunk) => prober?.receive(chunk) },
    });
    prober = new Prober(socket);
    return prober;
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.send(bytes)) this.bytesOut += bytes.length;
  }

  receive(chunk: Buffer): void {
    this.bytesIn += chunk.length;
    const text = chunk.toString("latin1");
    const transaction = /1:t4:(....)/s.exec(text)?.[1] ?? "";
    this.#waiting.get(transaction)?.({ text });
  }

  async ask(query: string, args: Readonly<Record<string, BencodeValue>>): Promise<string | undefined> {
    const transaction = String(1000 + (this.#next++ % 9000));
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(transaction, resolve);
    this.send(bencode({ a: { id: this.id, ...args }, q: query, t: transaction, y: "q" }));
    const answer = await Promise.race([promise, Bun.sleep(1_000).then(() => undefined)]);
    this.#waiting.delete(transaction);
    return answer?.text;
  }

  close(): void {
    this.#socket.close();
  }
}

const hashOf = (value: number | string) => createHash("sha1").update(String(value)).digest();

function queries(id: Buffer): Buffer[] {
  const query = (q: string, a: Readonly<Record<string, BencodeValue>>) =>
    bencode({ a: { id, ...a }, q, t: "aaaa", y: "q" });
  return [
    query("ping", {}),
    query("find_node", { target: hashOf("a") }),
    query("get_peers", { info_hash: hashOf("b") }),
    query("announce_peer", { info_hash: hashOf("c"), port: 42, token: "forged", implied_port: 1 }),
    bencode({ r: { id, nodes: Buffer.alloc(26 * 8, 7) }, t: "bbbb", y: "r" }),
    bencode({ e: [203, "no"], t: "cccc", y: "e" }),
  ];
}

/** From many ports, each within the limit for one source: every datagram is read. */
async function mutated(trial: Trial, host: string, port: number): Promise<void> {
  const { fixture } = trial;
  const valid = queries(hashOf("mutated").subarray(0, 20));
  const other = await Prober.open(fixture.address(), host, port);
  try {
    while (Number(trial.counts["datagrams"]) < trial.times(100_000, 10_000)) {
      const prober = await Prober.open(fixture.address(), host, port);
      for (let sent = 0; sent < DATAGRAM_SOURCE_BURST; sent++) {
        const bytes = Buffer.from(valid[sent % valid.length] ?? []);
        for (let flips = trial.whole(1, 6); flips > 0; flips--)
          bytes[trial.whole(0, bytes.length - 1)] = trial.whole(0, 255);
        prober.send(trial.random() < 0.2 ? bytes.subarray(0, trial.whole(0, bytes.length)) : bytes);
        trial.count("datagrams");
      }
      for (const odd of [Buffer.from("l".repeat(60_000)), Buffer.alloc(65_000), Buffer.from("d1:t4:aaaae")])
        prober.send(odd);
      // One of so many datagrams may be lost, but not two.
      const isAnswered = (await isAlive(trial, other)) || (await isAlive(trial, other));
      trial.expect(isAnswered, "hangs", "two questions without an answer within a second");
      prober.close();
      // Stays within the limit for all sources together.
      await Bun.sleep(1.5 * ((DATAGRAM_SOURCE_BURST + 4) / DATAGRAM_TOTAL_RATE) * 1_000);
    }
  } finally {
    other.close();
  }
}

async function isAlive(trial: Trial, prober: Prober): Promise<boolean> {
  const begun = performance.now();
  const answer = await prober.ask("ping", {});
  if (answer !== undefined) trial.most("slowest answer ms", Math.round(performance.now() - begun));
  return answer !== undefined;
}

/** Announces with tokens that were never issued, or were issued to another host. */
async function tokens(trial: Trial, host: string, port: number): Promise<void> {
  const { fixture } = trial;
  const [owner, thief] = [
    await Prober.open(fixture.address(), host, port),
    await Prober.open(fixture.address(), host, port),
  ];
  try {
    const info_hash = hashOf("token");
    const answer = await owner.ask("get_peers", { info_hash });
    const [, length = "0", rest = ""] = /5:token(\d+):(.*)/s.exec(answer ?? "") ?? [];
    const token = Buffer.from(rest.slice(0, Number(length)), "latin1");
    trial.expect(token.length > 0, "no token", "get_peers was not answered");
    for (let forged = 0; forged < 1_000; forged++) {
      const wrong = forged % 2 === 0 ? hashOf(forged).subarray(0, token.length) : token;
      trial.count("forged announces");
      thief.send(
        bencode({
          a: { id: thief.id, info_hash, port: 6000 + forged, token: wrong },
          q: "announce_peer",
          t: "dddd",
          y: "q",
        }),
      );
      if (forged % 20 === 0) await Bun.sleep(100);
    }
    await Bun.sleep(300);
    const stored = await owner.ask("get_peers", { info_hash });
    trial.expect(
      stored !== undefined && !stored.includes("6:values"),
      "forged stored",
      stored ?? "no answer",
    );
    await owner.ask("announce_peer", { info_hash, port: 4711, token });
    const right = await owner.ask("get_peers", { info_hash });
    trial.expect(right?.includes("6:values") === true, "right token refused", right ?? "no answer");
  } finally {
    owner.close();
    thief.close();
  }
}

async function floodFrom(trial: Trial, prober: Prober, seconds: number): Promise<void> {
  const valid = queries(prober.id);
  const end = performance.now() + seconds * 1000;
  const begun = performance.now();
  let sent = 0;
  while (performance.now() < end) {
    const due = ((performance.now() - begun) / 1000) * FLOOD_PER_SECOND;
    for (; sent < due; sent++) {
      const bytes = valid[sent % 3];
      if (bytes !== undefined) prober.send(bytes);
    }
    await Bun.sleep(2);
  }
  trial.set("flood datagrams", sent);
}

/** A leech that knows only the node under attack finds another seed through it by the DHT. */
async function findThroughNode(trial: Trial, target: P2pfile, magnet: string, sha256: string): Promise<void> {
  const { fixture } = trial;
  const { host, port } = await target.waitForEvent("listening");
  const other = makeBigFile(join(fixture.directory("source"), "other.img"), 4 * MiB, trial.seed + 1);
  const seed = startServe(fixture, other.path, { flags: ["--peers", `${host}:${port}`] });
  const otherMagnet = await seed.magnet();
  await Bun.sleep(1_000);
  const nameless = `magnet:?xt=urn:btih:${infoHashOfMagnet(otherMagnet)}&x.pe=${host}:${port}`;
  const leech = startDownload(fixture, { magnet: nameless, cwd: fixture.directory("leech") });
  const found = await leech.waitForEvent("metadata", undefined, 20_000).catch(() => undefined);
  trial.set("found after ms", found?.elapsedMs ?? Number.NaN);
  trial.expect(found !== undefined && found.elapsedMs <= FOUND_MS, "not found", leech.text("stderr"));
  const code = await leech.waitForExit(20_000).catch(() => -1);
  const isRight = code === 0 && finalState(join(leech.cwd, "other.img"), other.sha256) === "right";
  trial.expect(isRight, "corrupt", `${code}`);
  const direct = startDownload(fixture, { magnet, cwd: fixture.directory("direct") });
  trial.expect(
    (await direct.waitForExit(20_000).catch(() => -1)) === 0,
    "corrupt",
    "the attacked node's own file",
  );
  trial.expect(
    finalState(join(direct.cwd, NAME), sha256) === "right",
    "corrupt",
    "the attacked node's own file",
  );
  await seed.end();
}

/** Replies of 2 kB that nothing asked for, from a hundred sources: dropped before they are decoded, for little processor time. */
async function unasked(trial: Trial, target: P2pfile, host: string, port: number): Promise<void> {
  const probers: Prober[] = [];
  for (let i = 0; i < UNASKED_SOURCES; i++)
    probers.push(await Prober.open(trial.fixture.address(), host, port));
  const values = Array.from({ length: 235 }, (_, i) => Buffer.from([10, 66, 1, i, 26, 225]));
  const before = cpuSeconds(target.pid);
  let sent = 0;
  const end = performance.now() + trial.times(10_000, 4_000);
  while (performance.now() < end) {
    for (let i = 0; i < 40; i++, sent++) {
      const prober = probers[sent % probers.length];
      const t = Buffer.from([sent >> 8, sent]);
      prober?.send(bencode({ r: { id: prober.id, token: "token", values }, t, y: "r" }));
    }
    await Bun.sleep(10);
  }
  for (const prober of probers) prober.close();
  const microseconds = (1e6 * (cpuSeconds(target.pid) - before)) / sent;
  trial.set("unasked replies", sent);
  trial.set("microseconds each", rounded(microseconds));
  trial.expect(microseconds < MAX_UNASKED_MICROSECONDS, "unasked replies decoded", `${microseconds} each`);
}

/** Announces without end, each for a new info hash. */
async function announces(trial: Trial, from: string, host: string, port: number): Promise<void> {
  const prober = await Prober.open(from, host, port);
  try {
    const wanted = 100_000;
    for (let sent = 0; sent < wanted; sent++) {
      const info_hash = hashOf(sent);
      prober.send(bencode({ a: { id: prober.id, info_hash }, q: "get_peers", t: "eeee", y: "q" }));
      prober.send(
        bencode({
          a: { id: prober.id, info_hash, port: 1 + (sent % 65_000), token: hashOf(sent).subarray(0, 8) },
          q: "announce_peer",
          t: "ffff",
          y: "q",
        }),
      );
      if (sent % 100 === 0) await Bun.sleep(1);
    }
    trial.set("announces", wanted);
  } finally {
    prober.close();
  }
}
