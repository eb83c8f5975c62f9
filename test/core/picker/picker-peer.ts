// A fake peer, and a simple model of the picker: each step is applied to both, and the picker's counters are compared with
// counts made anew from the model.
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import type { Geometry } from "../../../src/core/torrent/geometry.ts";
import { type PeerHandle, type PieceIndex, peerHandle, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import { MAX_ENDGAME_COPIES } from "../../../src/core/picker/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { PiecePicker } from "../../../src/core/picker/piece-picker.ts";
import type { PickerPeer } from "../../../src/core/picker/picker-types.ts";

export class FakePeer implements PickerPeer {
  readonly handle: PeerHandle;
  bitfield: Bitfield;
  pickable = 0;
  wanted = 0;
  counted = false;
  readonly suggested: PieceIndex[] = [];
  /** Outstanding runs, by piece and begin. */
  readonly requested = new Map<string, Block>();
  /** Runs that were released and that the peer may still send. */
  readonly expired: Block[] = [];

  constructor(handle: number, pieceCount: number) {
    this.handle = peerHandle(handle);
    this.bitfield = new Bitfield(pieceCount);
  }
}

export const nameOf = (block: Block) => `${block.piece}:${block.begin}`;

/** The names of the single blocks of a run. */
export function namesOf({ piece, begin, length }: Block): string[] {
  return Array.from(
    { length: Math.ceil(length / BLOCK_LENGTH) },
    (_, i) => `${piece}:${begin + i * BLOCK_LENGTH}`,
  );
}

interface ActivePiece {
  /** Handle of the contributor by block. */
  readonly received: Map<string, number>;
}

export class CheckedPicker {
  readonly geometry: Geometry;
  readonly have: Bitfield;
  readonly picker: PiecePicker;
  readonly peers = new Set<FakePeer>();
  readonly active = new Map<number, ActivePiece>();
  /** Pieces that failed with several contributors. */
  readonly #needsSoleSource = new Set<number>();
  #nextHandle = 1;

  constructor(geometry: Geometry, random: () => number, had: readonly number[] = []) {
    this.geometry = geometry;
    this.have = new Bitfield(geometry.pieceCount);
    for (const piece of had) this.have.set(piece);
    this.picker = new PiecePicker(geometry, this.have, random);
  }

  join(pieces: readonly number[] | "all" = []): FakePeer {
    const peer = new FakePeer(this.#nextHandle++, this.geometry.pieceCount);
    this.peers.add(peer);
    this.picker.addPeer(peer);
    if (pieces === "all") peer.bitfield = Bitfield.full(this.geometry.pieceCount);
    else for (const piece of pieces) peer.bitfield.set(piece);
    this.picker.peerHasMany(peer);
    return peer;
  }

  leave(peer: FakePeer): void {
    this.releaseAll(peer);
    for (const piece of this.#needsSoleSource) {
      const { received } = this.active.get(piece) ?? {};
      const isWhole = received?.size === this.geometry.blockCount(pieceIndex(piece));
      if (!isWhole && [...(received?.values() ?? [])].includes(peer.handle)) received?.clear();
    }
    this.peers.delete(peer);
    this.picker.removePeer(peer);
  }

  has(peer: FakePeer, piece: number): void {
    const had = peer.bitfield.get(piece);
    if (this.picker.peerHas(peer, pieceIndex(piece)) === had)
      throw new Error("peerHas returned the wrong value");
  }

  pick(peer: FakePeer, count: number, now = 0, run = 1): Block[] {
    const before = this.#copiesOfAll();
    const blocks = this.picker.pick(peer, count, now, run);
    if (blocks.flatMap(namesOf).length > count) throw new Error("more blocks than asked for");
    const names = blocks.flatMap(namesOf);
    if (new Set(names).size < names.length) throw new Error("a block was picked twice at once");
    for (const block of blocks) {
      this.#mustBeRequestable(peer, block, run);
      for (const name of namesOf(block)) {
        if ((before.get(name) ?? 0) > 0) throw new Error(`${name} is requested already`);
      }
      if (!this.active.has(block.piece)) this.active.set(block.piece, { received: new Map() });
      peer.requested.set(nameOf(block), block);
    }
    return blocks;
  }

  pickDuplicate(peer: FakePeer, minAgeMs: number, now: number, run = 1): Block | undefined {
    const before = this.#copiesOfAll();
    const block = this.picker.pickDuplicate(peer, minAgeMs, now, run);
    if (block === undefined) return undefined;
    this.#mustBeRequestable(peer, block, run);
    for (const name of namesOf(block)) {
      const copies = before.get(name) ?? 0;
      if (copies === 0 || copies >= MAX_ENDGAME_COPIES) throw new Error(`duplicate of ${copies} requests`);
      if (isRequested(peer, name)) throw new Error("a duplicate request to the same peer");
    }
    peer.requested.set(nameOf(block), block);
    return block;
  }

  /** The peer sends a requested block. @returns true when that completes the piece. */
  deliver(peer: FakePeer, block: Block): boolean {
    if (!peer.requested.delete(nameOf(block))) throw new Error("the block was not requested");
    return this.#receive(peer, block, false);
  }

  /** The peer sends a run that was released. @returns as `deliver`. */
  deliverExpired(peer: FakePeer, block: Block): boolean {
    peer.expired.splice(peer.expired.indexOf(block), 1);
    return this.#receive(peer, block, true);
  }

  #receive(peer: FakePeer, block: Block, isExpired: boolean): boolean {
    const active = this.active.get(block.piece);
    const fresh = namesOf(block).filter((name) => active !== undefined && !active.received.has(name));
    const receipt = this.picker.received(peer, block);
    if (receipt.kind === "unwanted" || active === undefined) {
      if (fresh.length > 0 && !(isExpired && this.#needsSoleSource.has(block.piece)))
        throw new Error("a needed block is unwanted");
      return false;
    }
    if (fresh.length === 0) throw new Error("a received block is kept again");
    for (const name of namesOf(block)) active.received.set(name, peer.handle);
    const others = [...this.peers].filter(
      (other) => other !== peer && fresh.some((name) => isRequested(other, name)),
    );
    const cancelled = [...receipt.cancel].map(Number).toSorted((a, b) => a - b);
    if (`${cancelled}` !== `${others.map((other) => Number(other.handle)).toSorted((a, b) => a - b)}`) {
      throw new Error(`wrong peers to cancel: ${cancelled}`);
    }
    for (const other of this.peers) {
      for (const request of other.requested.values()) {
        if (request.piece !== block.piece) continue;
        const isReceived = namesOf(request).every((name) => active.received.has(name));
        if (this.picker.isReceived(request) !== isReceived) throw new Error("isReceived is wrong");
        if (isReceived) other.requested.delete(nameOf(request));
      }
    }
    const complete = active.received.size === this.geometry.blockCount(block.piece);
    if (receipt.pieceComplete !== complete) throw new Error("pieceComplete is wrong");
    return complete;
  }

  release(peer: FakePeer, block: Block): void {
    if (!peer.requested.delete(nameOf(block))) return;
    peer.expired.push(block);
    this.picker.released(peer, block);
    const isRequestedOfAny = [...this.peers].some((one) =>
      [...one.requested.values()].some(({ piece }) => piece === block.piece),
    );
    // With its sole source a piece loses every received block.
    if (this.#needsSoleSource.has(block.piece) && !isRequestedOfAny)
      this.active.get(block.piece)?.received.clear();
  }

  releaseAll(peer: FakePeer): void {
    for (const block of peer.requested.values()) this.release(peer, block);
  }

  hashed(piece: PieceIndex, right: boolean): void {
    const delivered = new Set(this.active.get(piece)?.received.values());
    this.active.delete(piece);
    if (right) this.#needsSoleSource.delete(piece);
    else if (delivered.size > 1) this.#needsSoleSource.add(piece);
    if (right) this.have.set(piece);
    const contributors = right ? this.picker.verified(piece) : this.picker.failed(piece);
    if (`${[...contributors].toSorted()}` !== `${[...delivered].toSorted()}`)
      throw new Error("wrong contributors");
  }

  completePieces(): PieceIndex[] {
    return [...this.active]
      .filter(([piece, { received }]) => received.size === this.geometry.blockCount(pieceIndex(piece)))
      .map(([piece]) => pieceIndex(piece));
  }

  /** The picker's counters, and the same counts made anew from the model. */
  recount(): { readonly kept: unknown; readonly counted: unknown } {
    const has = (peer: FakePeer, accepts: (piece: number) => boolean) => {
      let count = 0;
      peer.bitfield.forEachSet((piece) => (count += accepts(piece) ? 1 : 0));
      return count;
    };
    const copies = this.#copiesOfAll();
    let isEndgame = this.have.count + this.active.size === this.geometry.pieceCount;
    for (const [piece, { received }] of this.active) {
      for (let i = 0; i < this.geometry.blockCount(pieceIndex(piece)); i++) {
        const name = nameOf(this.geometry.block(pieceIndex(piece), i));
        if (!received.has(name) && (copies.get(name) ?? 0) === 0) isEndgame = false;
      }
    }
    const peers = [...this.peers];
    return {
      kept: {
        isEndgame: this.picker.isEndgame,
        peers: peers.map(({ pickable, wanted }) => ({ pickable, wanted })),
      },
      counted: {
        isEndgame,
        peers: peers.map((peer) => ({
          pickable: has(peer, (piece) => !this.have.get(piece) && !this.active.has(piece)),
          wanted: has(peer, (piece) => !this.have.get(piece)),
        })),
      },
    };
  }

  #mustBeRequestable(peer: FakePeer, block: Block, run: number): void {
    if (!peer.bitfield.get(block.piece)) throw new Error(`the peer lacks piece ${block.piece}`);
    if (this.have.get(block.piece)) throw new Error(`piece ${block.piece} is verified already`);
    if (namesOf(block).some((name) => this.active.get(block.piece)?.received.has(name)))
      throw new Error("the block is received already");
    if (this.geometry.blockIndex(block) === undefined) throw new Error("not a run of whole blocks");
    if (namesOf(block).length > run) throw new Error("longer than the longest run");
    const edge = (at: number) => Math.floor(at / MAX_REQUEST_LENGTH);
    if (edge(block.begin) !== edge(block.begin + block.length - 1))
      throw new Error("crosses a multiple of the longest request");
  }

  #copiesOfAll(): Map<string, number> {
    const copies = new Map<string, number>();
    for (const peer of this.peers) {
      for (const name of [...peer.requested.values()].flatMap(namesOf))
        copies.set(name, (copies.get(name) ?? 0) + 1);
    }
    return copies;
  }
}

function isRequested(peer: FakePeer, name: string): boolean {
  return [...peer.requested.values()].some((block) => namesOf(block).includes(name));
}
