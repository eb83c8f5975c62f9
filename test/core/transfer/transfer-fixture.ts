// One Transfer on a virtual clock, with peers that the test speaks for. Keeps the outstanding requests of each peer and the
// log of effects, so that a test can answer them; there are no bytes.
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { type PeerHandle, peerHandle, type PieceIndex, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import type { Block, PeerMessage } from "../../../src/core/torrent/peer-message.ts";
import { SHA1_LENGTH } from "../../../src/lib/sha1.ts";
import { TokenBucket } from "../../../src/core/rate/token-bucket.ts";
import { Transfer } from "../../../src/core/transfer/transfer.ts";
import type { TransferEffect, TransferEvent } from "../../../src/core/transfer/transfer-types.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

export const GOOD_DIGEST = new Uint8Array(20).fill(1);
export const BAD_DIGEST = new Uint8Array(20).fill(2);

export type Has = "all" | "none" | readonly number[];

export interface FixtureOptions {
  /** @default 4 pieces of 4 blocks */
  readonly geometry?: Geometry;
  readonly have?: Has;
  readonly unchecked?: Has;
  readonly seed?: number;
  /** Bytes per second. */
  readonly uploadLimit?: number;
  readonly downloadLimit?: number;
}

export interface PeerOptions {
  readonly has?: Has;
  readonly fast?: boolean;
  readonly haveNoneSent?: boolean;
  /** The peer unchokes us at once. */
  readonly unchokes?: boolean;
  readonly interested?: boolean;
  /** Bytes of the longest request that the peer answers. @default it advertises none */
  readonly requestLength?: number;
}

export class TransferFixture {
  now = 0;
  /** True: each `digestBlocks` is answered at once with right digests. False: the test answers. */
  answersBlocks = true;
  readonly geometry: Geometry;
  readonly transfer: Transfer;
  /** All effects so far. */
  readonly log: TransferEffect[] = [];
  readonly #outstanding = new Map<PeerHandle, Block[]>();
  #nextHandle = 1;

  constructor(options: FixtureOptions = {}) {
    this.geometry = options.geometry ?? new Geometry(16 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
    this.transfer = new Transfer({
      geometry: this.geometry,
      expected: () => GOOD_DIGEST,
      have: bitfieldOf(options.have ?? "none", this.geometry.pieceCount),
      unchecked: bitfieldOf(options.unchecked ?? "none", this.geometry.pieceCount),
      uploadBucket: new TokenBucket(options.uploadLimit ?? 0),
      downloadBucket: new TokenBucket(options.downloadLimit ?? 0),
      random: seededRandom(options.seed ?? 1),
      now: 0,
    });
  }

  handle(event: TransferEvent): TransferEffect[] {
    const effects = this.transfer.handle(event, this.now);
    for (const effect of effects) {
      this.log.push(effect);
      if (effect.type !== "send") continue;
      const asked = this.#outstanding.get(effect.peer);
      if (effect.message.type === "request") asked?.push(effect.message.block);
      if (effect.message.type === "cancel") this.#forget(effect.peer, effect.message.block);
    }
    return effects;
  }

  /** A peer joins and announces `has` in its first message. */
  join(options: PeerOptions = {}): PeerHandle {
    const peer = peerHandle(this.#nextHandle++);
    const { has = "none", fast = true } = options;
    this.#outstanding.set(peer, []);
    this.handle({ type: "peerJoined", peer, fast, haveNoneSent: options.haveNoneSent ?? false });
    if (options.requestLength !== undefined)
      this.handle({ type: "peerRequestLength", peer, bytes: options.requestLength });
    if (has === "all" && fast) this.receive(peer, { type: "haveAll" });
    else if (has !== "none") {
      this.receive(peer, { type: "bitfield", bytes: bitfieldOf(has, this.geometry.pieceCount).bytes });
    }
    if (options.interested === true) this.receive(peer, { type: "interested" });
    if (options.unchokes === true) this.receive(peer, { type: "unchoke" });
    return peer;
  }

  leave(peer: PeerHandle): TransferEffect[] {
    this.#outstanding.delete(peer);
    return this.handle({ type: "peerLeft", peer });
  }

  receive(peer: PeerHandle, message: PeerMessage): TransferEffect[] {
    if (message.type === "reject") this.#forget(peer, message.block);
    return this.handle({ type: "received", peer, message });
  }

  /** Outstanding requests to the peer, oldest first. */
  outstanding(peer: PeerHandle): readonly Block[] {
    return this.#outstanding.get(peer) ?? [];
  }

  /** The peer answers its oldest outstanding request, or sends `block`. */
  deliver(peer: PeerHandle, block = this.outstanding(peer)[0]): TransferEffect[] {
    if (block === undefined) throw new Error(`peer ${peer} has no outstanding request`);
    this.#forget(peer, block);
    return this.receive(peer, { type: "block", block });
  }

  /** The peer answers every request, also those sent meanwhile; pieces are hashed at once. */
  deliverAll(peer: PeerHandle, digest = GOOD_DIGEST): TransferEffect[] {
    const effects: TransferEffect[] = [];
    while (this.outstanding(peer).length > 0) {
      const delivered = this.deliver(peer);
      effects.push(...delivered, ...this.hashAll(delivered, digest));
    }
    return effects;
  }

  /** Answers the `verifyPiece` effects. */
  hashAll(effects: readonly TransferEffect[], digest = GOOD_DIGEST): TransferEffect[] {
    return effects.flatMap((effect) =>
      effect.type === "verifyPiece" ? this.#answerHash(effect.piece, digest) : [],
    );
  }

  /** Answers the `digestBlocks` effects; `forged` are the indices of wrong blocks. */
  digestAll(effects: readonly TransferEffect[], forged: readonly number[] = []): TransferEffect[] {
    return effects.flatMap((effect) => {
      if (effect.type !== "digestBlocks") return [];
      const { piece } = effect;
      const digests = new Uint8Array(this.geometry.blockCount(piece) * SHA1_LENGTH).fill(1);
      for (const block of forged) digests.fill(2, block * SHA1_LENGTH, (block + 1) * SHA1_LENGTH);
      return this.handle({ type: "blocksHashed", piece, digests });
    });
  }

  /** Lets time pass, with a tick every `step` milliseconds. */
  pass(milliseconds: number, step = TICK_MS): TransferEffect[] {
    const effects: TransferEffect[] = [];
    const end = this.now + milliseconds;
    while (this.now < end) {
      this.now = Math.min(end, this.now + step);
      effects.push(...this.handle({ type: "ticked" }));
    }
    return effects;
  }

  #answerHash(piece: PieceIndex, digest: Uint8Array): TransferEffect[] {
    const effects = this.handle({ type: "pieceHashed", piece, digest });
    return this.answersBlocks ? [...effects, ...this.digestAll(effects)] : effects;
  }

  #forget(peer: PeerHandle, block: Block): void {
    const asked = this.#outstanding.get(peer);
    const at = asked?.findIndex((other) => sameBlock(other, block)) ?? -1;
    if (at >= 0) asked?.splice(at, 1);
  }
}

export function bitfieldOf(has: Has, pieceCount: number): Bitfield {
  if (has === "all") return Bitfield.full(pieceCount);
  const bitfield = new Bitfield(pieceCount);
  if (has !== "none") for (const piece of has) bitfield.set(piece);
  return bitfield;
}

export function aBlock(piece: number, index: number, length = BLOCK_LENGTH): Block {
  return { piece: pieceIndex(piece), begin: index * BLOCK_LENGTH, length };
}

/** A run of `count` blocks. */
export function aRun(piece: number, index: number, count: number): Block {
  return aBlock(piece, index, count * BLOCK_LENGTH);
}

export function sameBlock(a: Block, b: Block): boolean {
  return a.piece === b.piece && a.begin === b.begin && a.length === b.length;
}

/** The messages of this type to one peer, or to all. */
export function sent<Type extends PeerMessage["type"]>(
  effects: readonly TransferEffect[],
  type: Type,
  peer?: PeerHandle,
): (PeerMessage & { type: Type })[] {
  return effects.flatMap((effect) =>
    effect.type === "send" && effect.message.type === type && (peer === undefined || effect.peer === peer)
      ? [effect.message as PeerMessage & { type: Type }]
      : [],
  );
}

/** The blocks that are to be sent to one peer. */
export function served(effects: readonly TransferEffect[], peer: PeerHandle): Block[] {
  return effects.flatMap((effect) =>
    effect.type === "serveBlock" && effect.peer === peer ? [effect.block] : [],
  );
}

/** The types of the messages to one peer, in order. */
export function messageTypes(effects: readonly TransferEffect[], peer: PeerHandle): string[] {
  return effects.flatMap((effect) =>
    effect.type === "send" && effect.peer === peer ? [effect.message.type] : [],
  );
}
