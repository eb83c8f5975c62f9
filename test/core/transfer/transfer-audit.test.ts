import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { type PieceIndex, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block, PeerMessage } from "../../../src/core/torrent/peer-message.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";
import type { AuditedPeer } from "../picker/audited-peer.ts";
import { AuditedTransfer } from "./transfer-audit.ts";
import { bitfieldOf } from "./transfer-fixture.ts";

const acts = [
  "join",
  "leave",
  "announce",
  "have",
  "choke",
  "unchoke",
  "interested",
  "notInterested",
  "request",
  "cancel",
  "deliver",
  "deliverExpired",
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
    // Half of the peers answer runs up to some length, and most of those queue long ones.
    const answersRuns = who % 2 === 0;
    audited.join({
      fast: what % 3 > 0,
      haveNoneSent: what % 5 === 0,
      queueLimit: (1 + (what % 7)) * (answersRuns && what % 11 > 0 ? 20 : 1),
      ...(answersRuns && { requestLength: (1 + (what % 8)) * BLOCK_LENGTH }),
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
    case "announce":
      return announce(audited, peer, what);
    case "have":
      return audited.receive(peer, { type: "have", piece: aPiece(geometry, what) });
    case "request": {
      const piece = aPiece(geometry, what);
      const first = what % geometry.blockCount(piece);
      const count = Math.min(1 + (who % 8), geometry.blockCount(piece) - first);
      const block = geometry.block(piece, first, count);
      for (let i = 0; i <= what % 50; i++) audited.receive(peer, { type: "request", block });
      return;
    }
    case "cancel": {
      const block = choose([...peer.pending, ...peer.inFlight], what);
      return block === undefined ? undefined : audited.receive(peer, { type: "cancel", block });
    }
    case "deliver":
      return asked === undefined ? undefined : audited.deliver(peer, asked);
    case "deliverWrong":
      return asked === undefined
        ? undefined
        : audited.deliver(peer, { ...asked, length: wrong(asked, what) });
    case "deliverExpired": {
      const block = choose([...peer.expired.values(), ...peer.cancelled.values()], what);
      return block === undefined ? undefined : audited.deliver(peer, block);
    }
    case "reject":
      return asked === undefined || !peer.fast
        ? undefined
        : audited.receive(peer, { type: "reject", block: asked });
    case "uploaded":
      return audited.uploaded(peer);
    case "unreadable":
      return audited.unreadable(peer);
    default:
      return audited.receive(peer, { type: act });
  }
}

/** A length other than requested: whole blocks in half of the cases. */
function wrong({ length }: Block, what: number): number {
  const whole = (1 + (what % 8)) * BLOCK_LENGTH;
  return what % 2 === 0 && whole !== length ? whole : 1 + (what % 100);
}

function announce(audited: AuditedTransfer, peer: AuditedPeer, what: number): void {
  const { pieceCount } = audited.geometry;
  // Only a bitfield may be repeated: it counts as haves.
  const all = what % 3 === 0 && !peer.hasAnnounced;
  const pieces = Array.from({ length: pieceCount }, (_, i) => i).filter(
    (i) => all || ((what >> i) & 1) === 1,
  );
  const message: PeerMessage =
    all && peer.fast
      ? { type: "haveAll" }
      : { type: "bitfield", bytes: bitfieldOf(pieces, pieceCount).bytes };
  audited.receive(peer, message);
}

function aPiece(geometry: Geometry, what: number): PieceIndex {
  return pieceIndex(what % geometry.pieceCount);
}

const had = fc.uniqueArray(fc.nat(4), { maxLength: 5 });

const geometries: [string, Geometry][] = [
  ["pieces of three blocks", new Geometry(13.5 * BLOCK_LENGTH, 3 * BLOCK_LENGTH)],
  ["pieces of twenty blocks", new Geometry(87.5 * BLOCK_LENGTH, 20 * BLOCK_LENGTH)],
];

describe.each(geometries)("Transfer with arbitrary peers and %s", (_, geometry) => {
  test("keeps the rules of the protocol with every effect", () => {
    fc.assert(
      fc.property(steps, had, fc.nat(), (steps, had, seed) => {
        const audited = new AuditedTransfer(geometry, had, seededRandom(seed));
        for (const step of steps) {
          apply(step, audited);
          audited.checkInvariants();
        }
      }),
      { numRuns: 300 },
    );
  });

  test("completes with one honest seed after any events, beside silent peers", () => {
    fc.assert(
      fc.property(steps, fc.nat(), (steps, seed) => {
        const audited = new AuditedTransfer(geometry, "none", seededRandom(seed));
        for (const step of steps) apply(step, audited);
        const requestLength = MAX_REQUEST_LENGTH;
        const honest = audited.join({ fast: true, haveNoneSent: false, queueLimit: 500, requestLength });
        audited.receive(honest, { type: "haveAll" });
        audited.receive(honest, { type: "unchoke" });
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

  test("answers every request once sockets take what is in flight", () => {
    fc.assert(
      fc.property(steps, had, fc.nat(), (steps, had, seed) => {
        const audited = new AuditedTransfer(geometry, had, seededRandom(seed));
        for (const step of steps) apply(step, audited);
        for (const peer of audited.peers.values()) {
          while (peer.inFlight.length > 0) audited.uploaded(peer);
          expect(peer.pending).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });
});
