import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Geometry } from "../../src/core/geometry.ts";
import { type PieceIndex, pieceIndex } from "../../src/core/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../src/core/limits.ts";
import type { Block, PeerMessage } from "../../src/core/peer-message.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import type { AuditedPeer } from "./audited-peer.ts";
import { AuditedTransfer } from "./transfer-audit.ts";
import { bitfieldOf, GOOD_DIGEST, sent, TransferBed, words } from "./transfer-bed.ts";

const acts = [
  "join",
  "leave",
  "claim",
  "have",
  "choke",
  "unchoke",
  "interested",
  "notInterested",
  "request",
  "cancel",
  "deliver",
  "deliverLate",
  "deliverWrong",
  "reject",
  "uploaded",
  "unreadable",
  "right",
  "wrong",
  "pass",
] as const;

interface Step {
  readonly act: (typeof acts)[number];
  readonly who: number;
  readonly what: number;
}

const steps = fc.array(
  fc.record<Step>({
    act: fc.constantFrom(
      ...acts,
      ...([
        "deliver",
        "deliver",
        "deliver",
        "deliver",
        "unchoke",
        "request",
        "interested",
        "have",
        "right",
      ] as const),
    ),
    who: fc.nat(50),
    what: fc.nat(1000),
  }),
  { maxLength: 150, size: "max" },
);

function choose<Item>(items: Iterable<Item>, what: number): Item | undefined {
  const all = [...items];
  return all[what % Math.max(1, all.length)];
}

function apply({ act, who, what }: Step, audited: AuditedTransfer): void {
  const { geometry } = audited;
  const peer = choose(audited.peers.values(), who);
  if (act === "join") {
    if (audited.peers.size >= 5) return;
    // Half of the peers take runs of up to some length, and most of those have room for long ones.
    const takesRuns = who % 2 === 0;
    audited.join({
      fast: what % 3 > 0,
      greeted: what % 5 === 0,
      queueLimit: (1 + (what % 7)) * (takesRuns && what % 11 > 0 ? 20 : 1),
      ...(takesRuns && { requestLength: (1 + (what % 8)) * BLOCK_LENGTH }),
    });
    return;
  }
  if (act === "pass") return audited.pass(1 + what * (what % 3 === 0 ? 20 : 1));
  if (act === "right" || act === "wrong") {
    const piece = choose(audited.verifying, what);
    return piece === undefined ? undefined : audited.hashed(piece, act === "right");
  }
  if (peer === undefined) return;
  const asked = choose(peer.outstanding.values(), what)?.block;
  switch (act) {
    case "leave":
      return audited.leave(peer);
    case "claim":
      return claim(audited, peer, what);
    case "have":
      return audited.hear(peer, { type: "have", piece: aPiece(geometry, what) });
    case "request": {
      const piece = aPiece(geometry, what);
      const first = what % geometry.blockCount(piece);
      const count = Math.min(1 + (who % 8), geometry.blockCount(piece) - first);
      const block = geometry.block(piece, first, count);
      for (let i = 0; i <= what % 50; i++) audited.hear(peer, { type: "request", block });
      return;
    }
    case "cancel": {
      const block = choose([...peer.pending, ...peer.onTheWay], what);
      return block === undefined ? undefined : audited.hear(peer, { type: "cancel", block });
    }
    case "deliver":
      return asked === undefined ? undefined : audited.deliver(peer, asked);
    case "deliverWrong":
      return asked === undefined
        ? undefined
        : audited.deliver(peer, { ...asked, length: wrong(asked, what) });
    case "deliverLate": {
      const block = choose([...peer.late.values(), ...peer.cancelled.values()], what);
      return block === undefined ? undefined : audited.deliver(peer, block);
    }
    case "reject":
      return asked === undefined || !peer.fast
        ? undefined
        : audited.hear(peer, { type: "reject", block: asked });
    case "uploaded":
      return audited.uploaded(peer);
    case "unreadable":
      return audited.unreadable(peer);
    default:
      return audited.hear(peer, { type: act });
  }
}

/** Another length than asked: whole blocks in half of all cases. */
function wrong({ length }: Block, what: number): number {
  const whole = (1 + (what % 8)) * BLOCK_LENGTH;
  return what % 2 === 0 && whole !== length ? whole : 1 + (what % 100);
}

function claim(audited: AuditedTransfer, peer: AuditedPeer, what: number): void {
  const { pieceCount } = audited.geometry;
  // Only a bitfield may be said again: it stands for haves then.
  const all = what % 3 === 0 && !peer.saidWhatItHas;
  const pieces = Array.from({ length: pieceCount }, (_, i) => i).filter(
    (i) => all || ((what >> i) & 1) === 1,
  );
  const message: PeerMessage =
    all && peer.fast
      ? { type: "haveAll" }
      : { type: "bitfield", bytes: bitfieldOf(pieces, pieceCount).bytes };
  audited.hear(peer, message);
}

function aPiece(geometry: Geometry, what: number): PieceIndex {
  return pieceIndex(what % geometry.pieceCount);
}

const had = fc.uniqueArray(fc.nat(4), { maxLength: 5 });

const geometries: [string, Geometry][] = [
  ["pieces of three blocks", new Geometry(13.5 * BLOCK_LENGTH, 3 * BLOCK_LENGTH)],
  ["pieces of twenty blocks", new Geometry(87.5 * BLOCK_LENGTH, 20 * BLOCK_LENGTH)],
];

describe.each(geometries)("Transfer, with peers that do anything, of %s", (_, geometry) => {
  test("keeps the rules of the wire with every order", () => {
    fc.assert(
      fc.property(steps, had, fc.nat(), (steps, had, seed) => {
        const audited = new AuditedTransfer(geometry, had, seededRandom(seed));
        for (const step of steps) {
          apply(step, audited);
          audited.checkBooks();
        }
      }),
      { numRuns: 300 },
    );
  });

  test("completes with one honest seed whatever came before, beside peers that fell silent", () => {
    fc.assert(
      fc.property(steps, fc.nat(), (steps, seed) => {
        const audited = new AuditedTransfer(geometry, "none", seededRandom(seed));
        for (const step of steps) apply(step, audited);
        const requestLength = MAX_REQUEST_LENGTH;
        const honest = audited.join({ fast: true, greeted: false, queueLimit: 500, requestLength });
        audited.hear(honest, { type: "haveAll" });
        audited.hear(honest, { type: "unchoke" });
        for (let second = 0; second < 120 && !audited.isComplete; second++) {
          for (const piece of audited.verifying.slice()) audited.hashed(piece, true);
          while (honest.outstanding.size > 0)
            audited.deliver(honest, [...honest.outstanding.values()][0]!.block);
          audited.pass(1000);
        }
        expect(audited.isComplete).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("answers every request once its socket takes what was sent", () => {
    fc.assert(
      fc.property(steps, had, fc.nat(), (steps, had, seed) => {
        const audited = new AuditedTransfer(geometry, had, seededRandom(seed));
        for (const step of steps) apply(step, audited);
        for (const peer of audited.peers.values()) {
          while (peer.onTheWay.length > 0) audited.uploaded(peer);
          expect(peer.pending).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("what a peer is told when it joins", () => {
  const table: [string, { have: "all" | "none" | number[]; fast: boolean; greeted: boolean }, string[]][] = [
    ["of nothing, with the fast extension", { have: "none", fast: true, greeted: false }, ["haveNone"]],
    ["of nothing, without it", { have: "none", fast: false, greeted: false }, []],
    ["of some pieces", { have: [0, 2], fast: true, greeted: false }, ["bitfield"]],
    ["of all pieces, with the fast extension", { have: "all", fast: true, greeted: false }, ["haveAll"]],
    ["of all pieces, without it", { have: "all", fast: false, greeted: false }, ["bitfield"]],
    ["of nothing, after a greeting", { have: "none", fast: true, greeted: true }, []],
    ["of some pieces, after a greeting", { have: [0, 2], fast: true, greeted: true }, ["have", "have"]],
    [
      "of all pieces, after a greeting",
      { have: "all", fast: false, greeted: true },
      ["have", "have", "have", "have"],
    ],
  ];
  test.each(table)("%s", (_name, { have, fast, greeted }, expected) => {
    const bed = new TransferBed({ have });
    expect(words(bed.log, bed.join({ fast, greeted }))).toEqual(expected);
  });

  test("a bitfield that was sent does not change when we get more pieces", () => {
    const bed = new TransferBed({ have: [0] });
    const peer = bed.join({ has: "all", unchokes: true });
    const [bitfield] = sent(bed.log, "bitfield");
    const before = bitfield!.bytes.slice();
    bed.deliverAll(peer);
    expect(bitfield!.bytes).toEqual(before);
  });
});

describe("Transfer", () => {
  test("a bitfield of another size ends the connection", () => {
    const bed = new TransferBed();
    const peer = bed.join();
    const effects = bed.hear(peer, { type: "bitfield", bytes: new Uint8Array(2) });
    expect(effects).toEqual([{ type: "closePeer", peer, fault: "badBitfield" }]);
  });

  test("a later bitfield stands for haves: it adds pieces and takes none back", () => {
    const bed = new TransferBed();
    const peer = bed.join({ has: [1] });
    bed.hear(peer, { type: "bitfield", bytes: bitfieldOf([2, 3], bed.geometry.pieceCount).bytes });
    bed.hear(peer, { type: "unchoke" });
    bed.deliverAll(peer);
    expect([0, 1, 2, 3].map((piece) => bed.transfer.have.get(piece))).toEqual([false, true, true, true]);
  });

  test("events of peers that are gone are ignored", () => {
    const bed = new TransferBed({ have: "all" });
    const peer = bed.join({ interested: true });
    bed.leave(peer);
    const block: Block = { piece: pieceIndex(0), begin: 0, length: BLOCK_LENGTH };
    expect([
      ...bed.hear(peer, { type: "request", block }),
      ...bed.handle({ type: "uploaded", peer, bytes: 5 }),
      ...bed.handle({ type: "serveFailed", peer, block }),
      ...bed.handle({ type: "peerQueueLimit", peer, requests: 1 }),
      ...bed.handle({ type: "peerRequestLength", peer, bytes: MAX_REQUEST_LENGTH }),
      ...bed.leave(peer),
    ]).toEqual([]);
  });

  test("completed bytes count the short last piece as short", () => {
    const geometry = new Geometry(9.25 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
    const completed = (have: number[]) =>
      new TransferBed({ geometry, have }).transfer.status(0).completedBytes;
    expect([completed([]), completed([0]), completed([2]), completed([0, 1, 2])]).toEqual([
      0,
      4 * BLOCK_LENGTH,
      1.25 * BLOCK_LENGTH,
      geometry.length,
    ]);
  });

  test("tells who is a seed and how many there are", () => {
    const bed = new TransferBed();
    const seed = bed.join({ has: "all" });
    const leech = bed.join({ has: [0, 1, 2] });
    expect([bed.transfer.isSeed(seed), bed.transfer.isSeed(leech)]).toEqual([true, false]);
    bed.hear(leech, { type: "have", piece: pieceIndex(3) });
    expect(bed.transfer.status(0)).toMatchObject({ peers: 2, seeds: 2 });
    bed.leave(seed);
    expect(bed.transfer.status(0)).toMatchObject({ peers: 1, seeds: 1 });
    expect(bed.transfer.isSeed(seed)).toBe(false);
  });

  test("under a download limit requests leave with the clock alone", () => {
    const bed = new TransferBed({ downloadLimit: 1_000_000 });
    const peer = bed.join({ has: "all" });
    expect(sent(bed.hear(peer, { type: "unchoke" }), "request")).toEqual([]);
    expect(sent(bed.pass(10, 10), "request").length).toBeGreaterThan(0);
    expect(sent(bed.deliver(peer), "request")).toEqual([]);
  });

  test("a cancel under a download limit sends no request either", () => {
    const geometry = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
    const bed = new TransferBed({ geometry, downloadLimit: 100_000_000 });
    const slow = bed.join({ has: "all" });
    const idle = bed.join({ has: "all" });
    for (const peer of [slow, idle]) bed.hear(peer, { type: "unchoke" });
    bed.pass(1000, 10);
    const busy = bed.asked(slow).length > 0 && bed.asked(idle).length > 0;
    expect(busy).toBe(true);
    for (const peer of [slow, idle]) {
      while (bed.asked(peer).length > 0) expect(sent(bed.deliver(peer), "request")).toEqual([]);
    }
  });

  test("a wrong digest of a piece that was never asked for is our own bug", () => {
    const bed = new TransferBed();
    const hashed = () => bed.handle({ type: "pieceHashed", piece: pieceIndex(0), digest: GOOD_DIGEST });
    expect(hashed).toThrow("piece 0 was not being fetched");
  });
});
