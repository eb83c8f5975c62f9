// What the auditor writes down of one peer: what it said, what we told it, and what either side owes the other.
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
  /** In bytes. @default BLOCK_LENGTH: the peer says nothing of it */
  readonly requestLength?: number;
}

export class AuditedPeer {
  readonly handle: PeerHandle;
  readonly fast: boolean;
  readonly bitfield: Bitfield;
  readonly queueLimit: number;
  /** Bytes of the longest request it answers. */
  readonly requestLength: number;
  saidWhatItHas = false;
  choking = true;
  /** What we told it. */
  isUnchoked = false;
  isWanted = false;
  /** Runs we asked of it, with the time, by the name of their first block. */
  readonly outstanding = new Map<string, { readonly block: Block; readonly at: number }>();
  /** Runs taken from it as too late, and runs cancelled: it may still send either. */
  readonly late = new Map<string, Block>();
  readonly cancelled = new Map<string, Block>();
  snubbed = false;
  heardAt: number;
  /** Blocks it asked of us that are not answered, and answers that its socket has not taken. */
  pending: Block[] = [];
  onTheWay: Block[] = [];

  constructor(handle: PeerHandle, pieceCount: number, options: AuditedPeerOptions, now: number) {
    this.handle = handle;
    this.fast = options.fast;
    this.bitfield = new Bitfield(pieceCount);
    this.queueLimit = options.queueLimit;
    this.requestLength = options.requestLength ?? BLOCK_LENGTH;
    this.heardAt = now;
  }

  /** The names of the single blocks it is asked for. */
  get askedNames(): string[] {
    return [...this.outstanding.values()].flatMap(({ block }) => namesOf(block));
  }

  get bytesOnTheWay(): number {
    return this.onTheWay.reduce((sum, block) => sum + block.length, 0);
  }

  isAskedFor(piece: PieceIndex): boolean {
    return [...this.outstanding.values()].some(({ block }) => block.piece === piece);
  }

  /** @returns false when it was not waiting. */
  answered(block: Block): boolean {
    const at = this.pending.findIndex((other) => isSame(other, block));
    if (at >= 0) this.pending.splice(at, 1);
    return at >= 0;
  }
}
