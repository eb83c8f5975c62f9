// One machine of a simulated swarm: a real Transfer, a link with a rate each way, and a disk that is always right.
// A liar sends blocks that make their piece fail.
import { Bitfield } from "../../src/core/bitfield.ts";
import type { Geometry } from "../../src/core/geometry.ts";
import type { PeerHandle, PieceIndex } from "../../src/core/ids.ts";
import { TokenBucket } from "../../src/core/token-bucket.ts";
import { Transfer } from "../../src/core/transfer.ts";

export interface SimNodeOptions {
  readonly name: number;
  readonly geometry: Geometry;
  readonly isSeed: boolean;
  /** Bytes per millisecond each way. */
  readonly rate: number;
  readonly isLiar: boolean;
  readonly random: () => number;
  readonly now: number;
}

export const GOOD_DIGEST = new Uint8Array(20).fill(1);
export const BAD_DIGEST = new Uint8Array(20).fill(2);

export class SimNode {
  readonly name: number;
  readonly transfer: Transfer;
  readonly rate: number;
  readonly isLiar: boolean;
  /** Handles by neighbour. */
  readonly handles = new Map<SimNode, PeerHandle>();
  readonly neighbours = new Map<PeerHandle, SimNode>();
  /** Pieces with a forged block received since they were started. */
  readonly spoiled = new Set<PieceIndex>();
  /** When the link is free again, each way. */
  uplinkFreeAt = 0;
  downlinkFreeAt = 0;
  sentBytes = 0;
  receivedBytes = 0;
  doneAt: number | undefined;
  isGone = false;

  constructor(options: SimNodeOptions) {
    this.name = options.name;
    this.rate = options.rate;
    this.isLiar = options.isLiar;
    const pieceCount = options.geometry.pieceCount;
    this.transfer = new Transfer({
      geometry: options.geometry,
      expected: () => GOOD_DIGEST,
      have: options.isSeed ? Bitfield.full(pieceCount) : new Bitfield(pieceCount),
      uploadBucket: new TokenBucket(0),
      downloadBucket: new TokenBucket(0),
      random: options.random,
      now: options.now,
    });
    if (options.isSeed) this.doneAt = options.now;
  }
}
