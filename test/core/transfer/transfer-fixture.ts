// One Transfer on a virtual clock, with peers that say what the test makes them say. Remembers what was ordered and
// not yet answered, so that a test can answer it; the bytes exist nowhere.
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
  readonly seed?: number;
  /** Bytes per second. */
  readonly uploadLimit?: number;
  readonly downloadLimit?: number;
}

export interface PeerOptions {
  readonly has?: Has;
  readonly fast?: boolean;
  readonly greeted?: boolean;
  /** The peer unchokes us at once. */
  readonly unchokes?: boolean;
  readonly interested?: boolean;
  /** Bytes of the longest request it answers. @default it does not say */
  readonly requestLength?: number;
}

export class TransferFixture {
  now = 0;
  /** Digests of blocks are asked for and given at once, all right. A test that gives its own turns it off. */
  answersBlocks = true;
  readonly geometry: Geometry;
  readonly transfer: Transfer;
  /** Everything ordered so far. */
  readonly log: TransferEffect[] = [];
  readonly #asked = new Map<PeerHandle, Block[]>();
  #nextHandle = 1;

  constructor(options: FixtureOptions = {}) {
    this.geometry = options.geometry ?? new Geometry(16 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
    this.transfer = new Transfer({
      geometry: this.geometry,
      expected: () => GOOD_DIGEST,
      have: bitfieldOf(options.have ?? "none", this.geometry.pieceCount),
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
      const asked = this.#asked.get(effect.peer);
      if (effect.message.type === "request") asked?.push(effect.message.block);
      if (effect.message.type === "cancel") this.#forget(effect.peer, effect.message.block);
    }
    return effects;
  }

  /** Says `has` in the first message, as peers do. */
  join(options: PeerOptions = {}): PeerHandle {
    const peer = peerHandle(this.#nextHandle++);
    const { has = "none", fast = true } = options;
    this.#asked.set(peer, []);
    this.handle({ type: "peerJoined", peer, fast, greeted: options.greeted ?? false });
    if (options.requestLength !== undefined)
      this.handle({ type: "peerRequestLength", peer, bytes: options.requestLength });
    if (has === "all" && fast) this.hear(peer, { type: "haveAll" });
    else if (has !== "none") {
      this.hear(peer, { type: "bitfield", bytes: bitfieldOf(has, this.geometry.pieceCount).bytes });
    }
    if (options.interested === true) this.hear(peer, { type: "interested" });
    if (options.unchokes === true) this.hear(peer, { type: "unchoke" });
    return peer;
  }

  leave(peer: PeerHandle): TransferEffect[] {
    this.#asked.delete(peer);
    return this.handle({ type: "peerLeft", peer });
  }

  hear(peer: PeerHandle, message: PeerMessage): TransferEffect[] {
    if (message.type === "reject") this.#forget(peer, message.block);
    return this.handle({ type: "received", peer, message });
  }

  /** Blocks that the peer was asked for and has not answered, oldest first. */
  asked(peer: PeerHandle): readonly Block[] {
    return this.#asked.get(peer) ?? [];
  }

  /** The peer delivers the oldest block it was asked for, or `block`. */
  deliver(peer: PeerHandle, block = this.asked(peer)[0]): TransferEffect[] {
    if (block === undefined) throw new Error(`peer ${peer} was not asked for anything`);
    this.#forget(peer, block);
    return this.hear(peer, { type: "block", block });
  }

  /** The peer delivers everything it was and is asked for meanwhile; pieces are hashed at once. */
  deliverAll(peer: PeerHandle, digest = GOOD_DIGEST): TransferEffect[] {
    const effects: TransferEffect[] = [];
    while (this.asked(peer).length > 0) {
      const delivered = this.deliver(peer);
      effects.push(...delivered, ...this.hashAll(delivered, digest));
    }
    return effects;
  }

  /** Answers the `verifyPiece` orders among the effects. */
  hashAll(effects: readonly TransferEffect[], digest = GOOD_DIGEST): TransferEffect[] {
    return effects.flatMap((effect) =>
      effect.type === "verifyPiece" ? this.#settled(effect.piece, digest) : [],
    );
  }

  /** Answers the `digestBlocks` orders among the effects; `forged` are the blocks that are not as they should be. */
  digestAll(effects: readonly TransferEffect[], forged: readonly number[] = []): TransferEffect[] {
    return effects.flatMap((effect) => {
      if (effect.type !== "digestBlocks") return [];
      const { piece } = effect;
      const digests = new Uint8Array(this.geometry.blockCount(piece) * SHA1_LENGTH).fill(1);
      for (const block of forged) digests.fill(2, block * SHA1_LENGTH, (block + 1) * SHA1_LENGTH);
      return this.handle({ type: "blocksHashed", piece, digests });
    });
  }

  /** Time passes with a heart beat every `step` milliseconds. */
  pass(milliseconds: number, step = TICK_MS): TransferEffect[] {
    const effects: TransferEffect[] = [];
    const end = this.now + milliseconds;
    while (this.now < end) {
      this.now = Math.min(end, this.now + step);
      effects.push(...this.handle({ type: "ticked" }));
    }
    return effects;
  }

  #settled(piece: PieceIndex, digest: Uint8Array): TransferEffect[] {
    const effects = this.handle({ type: "pieceHashed", piece, digest });
    return this.answersBlocks ? [...effects, ...this.digestAll(effects)] : effects;
  }

  #forget(peer: PeerHandle, block: Block): void {
    const asked = this.#asked.get(peer);
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

/** `count` blocks in a row. */
export function aRun(piece: number, index: number, count: number): Block {
  return aBlock(piece, index, count * BLOCK_LENGTH);
}

export function sameBlock(a: Block, b: Block): boolean {
  return a.piece === b.piece && a.begin === b.begin && a.length === b.length;
}

/** The messages to one peer, or to all, of the given type. */
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

/** The blocks ordered to be sent to one peer. */
export function served(effects: readonly TransferEffect[], peer: PeerHandle): Block[] {
  return effects.flatMap((effect) =>
    effect.type === "serveBlock" && effect.peer === peer ? [effect.block] : [],
  );
}

/** The words of the messages to one peer, in order. */
export function words(effects: readonly TransferEffect[], peer: PeerHandle): string[] {
  return effects.flatMap((effect) =>
    effect.type === "send" && effect.peer === peer ? [effect.message.type] : [],
  );
}
