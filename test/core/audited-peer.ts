// What the auditor writes down of one peer: what it said, what we told it, and what either side owes the other.
import { Bitfield } from "../../src/core/bitfield.ts";
import type { PeerHandle, PieceIndex } from "../../src/core/ids.ts";
import type { Block } from "../../src/core/peer-message.ts";

export const nameOf = (block: Block) => `${block.piece}:${block.begin}`;
export const isSame = (a: Block, b: Block) => nameOf(a) === nameOf(b) && a.length === b.length;

export class AuditedPeer {
  readonly handle: PeerHandle;
  readonly fast: boolean;
  readonly bitfield: Bitfield;
  readonly queueLimit: number;
  saidWhatItHas = false;
  choking = true;
  /** What we told it. */
  isUnchoked = false;
  isWanted = false;
  /** Blocks we asked of it, with the time, by name. */
  readonly outstanding = new Map<string, { readonly block: Block; readonly at: number }>();
  /** Blocks taken from it as too late, and blocks cancelled: it may still send either. */
  readonly late = new Map<string, Block>();
  readonly cancelled = new Map<string, Block>();
  snubbed = false;
  heardAt: number;
  /** Blocks it asked of us that are not answered, and answers that its socket has not taken. */
  pending: Block[] = [];
  onTheWay: Block[] = [];

  constructor(handle: PeerHandle, fast: boolean, pieceCount: number, queueLimit: number, now: number) {
    this.handle = handle;
    this.fast = fast;
    this.bitfield = new Bitfield(pieceCount);
    this.queueLimit = queueLimit;
    this.heardAt = now;
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
