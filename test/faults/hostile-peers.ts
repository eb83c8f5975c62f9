// T3: one hostile connection after another, each with its script, during an honest transfer. The seed survives, closes the
// connections that it must and keeps those that it should, and the transfer takes hardly longer.
import { join } from "node:path";
import { pieceLengthFor } from "../../src/core/torrent/piece-length.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { infoHashOfMagnet } from "../helpers/binary.ts";
import { Flood } from "./lib/flood-peer.ts";
import { bitfieldOf, extended, frame, handshake, Id, uint32 } from "./lib/frames.ts";
import { HONEST_SIZE, honestTransfer } from "./lib/honest-transfer.ts";
import { type FaultJob, rounded, type Trial } from "./lib/job.ts";
import { memoryOf, startServe } from "./lib/run.ts";

const BLOCK = 16 * KiB;
const PIECE_LENGTH = pieceLengthFor(HONEST_SIZE);
const PIECES = HONEST_SIZE / PIECE_LENGTH;
const SLOWDOWN = 1.5;
const GROWTH = 64 * MiB;

/** What the seed must do with the connection. */
type Outcome = "closed" | "kept" | "any";

interface Script {
  readonly what: string;
  /** The whole stream. `hello` is a valid handshake. */
  readonly bytes: (hello: Buffer) => Uint8Array;
  readonly expected: Outcome;
}

const after = (what: string, expected: Outcome, ...frames: readonly Uint8Array[]): Script => ({
  what,
  expected,
  bytes: (hello) => Buffer.concat([hello, ...frames]),
});
const raw = (length: number, ...bytes: readonly number[]) =>
  Buffer.concat([uint32(length), Buffer.from(bytes)]);
const many = (count: number, bytes: Uint8Array) => Buffer.concat(Array.from({ length: count }, () => bytes));
const request = (piece: number, begin: number, length: number) =>
  frame(Id.request, uint32(piece, begin, length));
const interested = frame(Id.interested);

const SCRIPTS: readonly Script[] = [
  {
    what: "TLS hello",
    expected: "closed",
    bytes: () => Buffer.from("16030100c8010000c40303".padEnd(200, "0"), "hex"),
  },
  {
    what: "HTTP",
    expected: "closed",
    bytes: () => Buffer.from("GET / HTTP/1.1\r\nHost: here\r\nAccept: */*\r\n\r\n".repeat(3)),
  },
  {
    what: "wrong protocol length",
    expected: "closed",
    bytes: (hello) => Buffer.concat([Buffer.from([18]), hello.subarray(1)]),
  },
  {
    what: "wrong protocol name",
    expected: "closed",
    bytes: (hello) => Buffer.concat([Buffer.from("\x13BitTorrent protocoL"), hello.subarray(20)]),
  },
  { what: "unknown info hash", expected: "closed", bytes: () => handshake("0".repeat(40)) },
  { what: "random bytes", expected: "closed", bytes: () => Buffer.from("f00dfeed".repeat(64), "hex") },
  after("length 2^32 - 1", "closed", raw(0xffffffff, Id.request)),
  after("length 2^31", "closed", raw(0x80000000, Id.piece)),
  after("length 1 GiB, unknown id", "closed", raw(2 ** 30, 99)),
  after("choke of 2 bytes", "closed", raw(2, Id.choke, 0)),
  after("interested of 9 bytes", "closed", raw(9, Id.interested, 0, 0, 0, 0, 0, 0, 0, 0)),
  after("have of 3 bytes", "closed", raw(3, Id.have, 0, 0)),
  after("request of 12 bytes", "closed", raw(12, Id.request, ...Buffer.alloc(11))),
  after("request of 14 bytes", "closed", raw(14, Id.request, ...Buffer.alloc(13))),
  after("cancel of 5 bytes", "closed", raw(5, Id.cancel, 0, 0, 0, 0)),
  after("port of 2 bytes", "closed", raw(2, Id.port, 0)),
  after("piece without a header", "closed", raw(5, Id.piece, 0, 0, 0, 0)),
  after("one unknown message", "kept", frame(99, Buffer.alloc(100))),
  after("200 unknown messages", "closed", many(200, frame(99, Buffer.alloc(10)))),
  after("unknown message of 1 MiB", "closed", frame(99, Buffer.alloc(MiB))),
  after("request for no piece", "any", interested, many(200, request(PIECES, 0, BLOCK))),
  after("request at 2^31", "any", interested, many(200, request(0x7fffffff, 0, BLOCK))),
  after("request of no bytes", "any", interested, many(200, request(0, 0, 0))),
  after("request that wraps", "any", interested, many(200, request(0, 0xffffc000, BLOCK))),
  after("request of 1 MiB", "any", interested, many(10, request(0, 0, MiB))),
  after(
    "request over the end of a piece",
    "any",
    interested,
    many(10, request(0, PIECE_LENGTH - 6 * KiB, BLOCK)),
  ),
  after("5000 requests while choked", "any", many(5_000, request(1, 0, BLOCK))),
  after("20000 requests", "any", interested, many(20_000, request(1, 0, BLOCK))),
  after("10000 cancels", "any", many(10_000, frame(Id.cancel, uint32(0, 0, BLOCK)))),
  after(
    "10000 changes of interest",
    "any",
    many(5_000, Buffer.concat([interested, frame(Id.notInterested)])),
  ),
  after("10000 chokes", "any", many(5_000, Buffer.concat([frame(Id.choke), frame(Id.unchoke)]))),
  after("100000 keep-alives", "any", Buffer.alloc(400_000)),
  after("a piece without a request", "any", many(20, frame(Id.piece, uint32(0, 0), Buffer.alloc(BLOCK)))),
  after("a piece of another length", "any", many(20, frame(Id.piece, uint32(0, 0), Buffer.alloc(7)))),
  after("a piece out of range", "closed", frame(Id.piece, uint32(PIECES + 5, 0), Buffer.alloc(BLOCK))),
  after("short bitfield", "closed", frame(Id.bitfield, Buffer.alloc(2))),
  after("long bitfield", "closed", frame(Id.bitfield, Buffer.alloc(1_000))),
  after("bitfield twice", "any", many(2, frame(Id.bitfield, bitfieldOf(PIECES)))),
  after("10000 bitfields", "closed", many(10_000, frame(Id.bitfield, bitfieldOf(PIECES)))),
  after("have-all with a payload", "closed", frame(Id.haveAll, Buffer.alloc(3))),
  after("have out of range", "closed", frame(Id.have, uint32(PIECES))),
  after("have -1", "closed", frame(Id.have, uint32(0xffffffff))),
  after("10000 haves", "any", many(10_000, frame(Id.have, uint32(3)))),
  after("extension handshake of 64 KiB", "any", extended(0, { m: {}, v: "x".repeat(64_000) })),
  after(
    "extension handshake that is no bencode",
    "any",
    frame(Id.extended, Buffer.from([0]), Buffer.from("l-3:")),
  ),
  after(
    "extension handshake too deep",
    "any",
    frame(Id.extended, Buffer.from([0]), Buffer.from("l".repeat(50_000))),
  ),
  after(
    "10000 names of extensions",
    "any",
    extended(0, { m: Object.fromEntries(Array.from({ length: 4_000 }, (_, i) => [`x${i}`, 1 + (i % 250)])) }),
  ),
  after("reqq -1 and port -1", "any", extended(0, { m: {}, reqq: -1, p: -1, metadata_size: -1 })),
  after("500 extension handshakes", "closed", many(500, extended(0, { m: { ut_metadata: 1 } }))),
  after(
    "metadata requests out of range",
    "any",
    extended(0, { m: { ut_metadata: 3 } }),
    many(200, extended(1, { msg_type: 0, piece: 2 ** 31 })),
  ),
  after(
    "10000 metadata requests",
    "any",
    extended(0, { m: { ut_metadata: 3 } }),
    many(10_000, extended(1, { msg_type: 0, piece: 0 })),
  ),
  after("extended message to an unknown extension", "any", extended(77, { x: 1 })),
  after(
    "peer exchange of 60 KiB",
    "any",
    extended(0, { m: { ut_pex: 1 } }),
    extended(2, { added: Buffer.alloc(60_000, 1) }),
  ),
];

export const hostilePeersJob: FaultJob = {
  name: "T3 hostile peers",
  async run(trial) {
    const { fixture } = trial;
    for (const what of ["scripts", "wrong verdicts", "deaths", "too slow"]) trial.set(what, 0);
    const file = makeBigFile(join(fixture.directory("source"), "disk.img"), HONEST_SIZE, trial.seed);
    // The rate makes the transfer about as long as all scripts.
    const seed = startServe(fixture, file.path, { flags: ["--upload-limit", "12"] });
    const magnet = await seed.magnet();
    const { host, port } = await seed.waitForEvent("listening");
    const hello = () => handshake(infoHashOfMagnet(magnet));
    const alone = await honestTransfer(trial, magnet, file);
    if (alone === undefined) return;
    const before = memoryOf(seed.pid, "RssAnon");
    const honest = honestTransfer(trial, magnet, file);
    for (const script of SCRIPTS) {
      if (!seed.hasExited) await play(trial, script, host, port, hello());
      trial.expect(!seed.hasExited, "deaths", `${script.what}: ${seed.text("stderr")}`);
    }
    const ms = await honest;
    trial.set("alone ms", Math.round(alone));
    trial.set("honest ms", Math.round(ms ?? Number.NaN));
    trial.expect(ms !== undefined && ms <= SLOWDOWN * alone, "too slow", `${ms} ms, alone ${alone} ms`);
    if (!seed.hasExited) {
      const grown = memoryOf(seed.pid, "RssAnon") - before;
      trial.set("grown MiB", rounded(grown / MiB));
      trial.expect(grown < GROWTH, "too much memory", `${rounded(grown / MiB)} MiB`);
    }
    trial.expect(!/^\s+at /m.test(seed.text("stderr")), "stack traces", seed.text("stderr"));
    await seed.end();
  },
};

async function play(trial: Trial, script: Script, host: string, port: number, hello: Buffer): Promise<void> {
  const bytes = script.bytes(hello);
  const flood = new Flood({ host, port, opening: () => bytes });
  await flood.open(1);
  const deadline = performance.now() + 2_000;
  const wait = script.expected === "closed" ? deadline : performance.now() + 60;
  while (performance.now() < wait && flood.alive > 0) await Bun.sleep(5);
  const isClosed = flood.alive === 0;
  trial.count("scripts");
  trial.count(isClosed ? "closed" : "kept");
  const isRight = script.expected === "any" || isClosed === (script.expected === "closed");
  trial.expect(isRight, "wrong verdicts", `${script.what}: ${isClosed ? "closed" : "kept"}`);
  flood.close();
}
