// T2, against the executable: mutated sessions over real sockets, cut at random bytes. All the while it answers an honest
// handshake within a second; it survives and keeps no memory of the sessions.
import type { Socket } from "bun";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { corpusOf } from "../fuzz/engine/corpus.ts";
import { mutate } from "../fuzz/engine/mutate.ts";
import { peerWireTarget } from "../fuzz/targets/peer-wire.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { infoHashOfMagnet } from "../helpers/binary.ts";
import { handshake, HANDSHAKE_LENGTH } from "./lib/frames.ts";
import { type FaultJob, inLanes, rounded, type Trial } from "./lib/job.ts";
import { finalState, ownMemory, startDownload, startServe } from "./lib/run.ts";

const NAME = "disk.img";
const LANES = 8;
/** Share of sessions with a valid handshake. */
const RIGHT_HANDSHAKES = 0.8;
const PROBE_EVERY = 200;
const ANSWER_MS = 1_000;
const GROWTH = 32 * MiB;
/** Share of the sessions before growth is measured: code is compiled and memory pools are filled. */
const WARM_UP = 0.1;
/** Freed memory is returned within this time. */
const REST_MS = 3_000;
/** How long a session waits for an answer after its last byte. */
const LINGER_MS = 4;

/**
 * Seen to fail, in a copy of the sources: with a loop without end at the first unknown message in peer-wire.ts, no answer
 * after 344 sessions; with 64 KiB kept of each, grown by 1746 MiB.
 */
export const wireSessionJob: FaultJob = {
  name: "T2 wire sessions",
  async run(trial) {
    const { fixture } = trial;
    for (const what of ["sessions", "deaths", "hangs"]) trial.set(what, 0);
    const file = makeBigFile(join(fixture.directory("source"), NAME), 16 * MiB, trial.seed);
    const seed = startServe(fixture, file.path);
    const magnet = await seed.magnet();
    const { host, port } = await seed.waitForEvent("listening");
    const infoHash = infoHashOfMagnet(magnet);
    const corpus = corpusOf(peerWireTarget.name, "all").map(({ input }) => input);
    const material = { target: peerWireTarget, corpus, kept: [] };
    const wanted = trial.times(50_000, 10_000);
    let before = Number.NaN;
    await inLanes(wanted, LANES, async (index) => {
      if (seed.hasExited || trial.failures.length > 0) return;
      if (index === wanted * WARM_UP) before = ownMemory(seed.pid);
      if (index % PROBE_EVERY === 0) await probe(trial, host, port, infoHash);
      const stream = mutate(trial.random, material);
      if (stream.length >= HANDSHAKE_LENGTH && trial.random() < RIGHT_HANDSHAKES)
        stream.set(handshake(infoHash).subarray(0, HANDSHAKE_LENGTH));
      await play(trial, host, port, stream);
      trial.count("sessions");
    });
    trial.expect(!seed.hasExited, "deaths", seed.text("stderr"));
    if (seed.hasExited) return;
    await Bun.sleep(REST_MS);
    const grown = ownMemory(seed.pid) - before;
    trial.set("grown MiB", rounded(grown / MiB));
    trial.expect(grown <= GROWTH, "too much memory", `${rounded(grown / MiB)} MiB`);
    trial.expect(!/^\s+at /m.test(seed.text("stderr")), "stack traces", seed.text("stderr"));
    const leech = startDownload(fixture, { magnet, cwd: fixture.directory("leech") });
    const code = await leech.waitForExit(20_000).catch(() => -1);
    const isRight = code === 0 && finalState(join(leech.cwd, NAME), file.sha256) === "right";
    trial.expect(isRight, "corrupt", `${code} ${leech.text("stderr")}`);
    await seed.end();
  },
};

interface Session {
  readonly answered: PromiseWithResolvers<void>;
  readonly closed: PromiseWithResolvers<void>;
}

/** @returns undefined when the connection is not accepted in time. */
async function dial(host: string, port: number): Promise<Socket<Session> | undefined> {
  const connecting = Bun.connect<Session>({
    hostname: host,
    port,
    data: { answered: Promise.withResolvers(), closed: Promise.withResolvers() },
    socket: {
      data: (socket) => socket.data.answered.resolve(),
      close: (socket) => socket.data.closed.resolve(),
      error: () => {},
    },
  });
  return await Promise.race([connecting, Bun.sleep(ANSWER_MS).then(() => undefined)]).catch(() => undefined);
}

async function play(trial: Trial, host: string, port: number, stream: Uint8Array): Promise<void> {
  const socket = await dial(host, port);
  if (socket === undefined) return trial.count("not connected");
  const { closed, answered } = socket.data;
  for (let at = 0; at < stream.length;) {
    const end = Math.min(stream.length, at + trial.whole(1, stream.length));
    // Bytes that a full socket does not take are lost, as with a peer that dies.
    socket.write(stream.subarray(at, end));
    socket.flush();
    at = end;
    if (at < stream.length) await Bun.sleep(0);
  }
  await Promise.race([closed.promise, answered.promise, Bun.sleep(10 * LINGER_MS)]);
  await Promise.race([closed.promise, Bun.sleep(LINGER_MS)]);
  socket.terminate();
}

async function probe(trial: Trial, host: string, port: number, infoHash: string): Promise<void> {
  const begun = performance.now();
  const socket = await dial(host, port);
  socket?.write(handshake(infoHash));
  const answer = socket?.data.answered.promise.then(() => true);
  const isAnswered = await Promise.race([answer ?? false, Bun.sleep(ANSWER_MS).then(() => false)]);
  trial.most("slowest answer ms", Math.round(performance.now() - begun));
  trial.expect(isAnswered, "hangs", `no answer within ${ANSWER_MS} ms`);
  socket?.terminate();
}
