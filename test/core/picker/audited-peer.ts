// The auditor's record of one peer: its state, our state towards it, and the outstanding requests of both sides.
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import type { PeerHandle, PieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";

export const nameOf = (block: Block) => `${block.piece}:${block.begin}`;
export const isSame = (a: Block, b: Block) => nameOf(a) === nameOf(b) && a.length === b.length;

/** The names of the single blocks of a run. */
export function namesOf({ piece, begin, length }: Block): string[] {
  return Array.from(
    { length: Math.ceil(length / BLOCK_LENGTH) },
    (_, i) => `${piece}:${begin + i * BLOCK_LENGTH}`,
  );
}

export interface AuditedPeerOptions {
  readonly fast: boolean;
  readonly queueLimit: number;
  /** Bytes of the longest request that the peer answers. @default BLOCK_LENGTH: it advertises none */
  readonly requestLength?: number;
}

export class AuditedPeer {
  readonly handle: PeerHandle;
  readonly fast: boolean;
  readonly bitfield: Bitfield;
  readonly queueLimit: number;
  /** Bytes of the longest request that the peer answers. */
  readonly requestLength: number;
  /** True once the peer has sent a bitfield, have all or have. */
  hasAnnounced = false;
  choking = true;
  /** Our state towards the peer. */
  isUnchoked = false;
  amInterested = false;
  /** Runs requested from the peer, with the time, by the name of their first block. */
  readonly outstanding = new Map<string, { readonly block: Block; readonly at: number }>();
  /** Runs whose request expired or was cancelled: the peer may still send both. */
  readonly expired = new Map<string, Block>();
  readonly cancelled = new Map<string, Block>();
  snubbed = false;
  lastBlockAt: number;
  /** The peer's unanswered requests, and answers that its socket has not taken. */
  pending: Block[] = [];
  inFlight: Block[] = [];

  constructor(handle: PeerHandle, pieceCount: number, options: AuditedPeerOptions, now: number) {
    this.handle = handle;
    this.fast = options.fast;
    this.bitfield = new Bitfield(pieceCount);
    this.queueLimit = options.queueLimit;
    this.requestLength = options.requestLength ?? BLOCK_LENGTH;
    this.lastBlockAt = now;
  }

  /** The names of the single blocks that are requested from the peer. */
  get requestedNames(): string[] {
    return [...this.outstanding.values()].flatMap(({ block }) => namesOf(block));
  }

  get bytesInFlight(): number {
    return this.inFlight.reduce((sum, block) => sum + block.length, 0);
  }

  hasRequestFor(piece: PieceIndex): boolean {
    return [...this.outstanding.values()].some(({ block }) => block.piece === piece);
  }

  /** @returns false when the request was not pending. */
  answered(block: Block): boolean {
    const at = this.pending.findIndex((other) => isSame(other, block));
    if (at >= 0) this.pending.splice(at, 1);
    return at >= 0;
  }
}
