// The auditor's books of what is fetched: pieces had, blocks here, pieces that are fetched from one peer alone. Plain
// maps, searched whenever something is asked.
import type { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import type { Geometry } from "../../../src/core/torrent/geometry.ts";
import { type PeerHandle, type PieceIndex, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { MAX_ENDGAME_COPIES } from "../../../src/core/picker/limits.ts";
import { MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { type AuditedPeer, nameOf, namesOf } from "../picker/audited-peer.ts";
import { bitfieldOf, type Has } from "./transfer-fixture.ts";

export class DownloadBooks {
  readonly have: Bitfield;
  /** Pieces to be hashed. */
  readonly verifying: PieceIndex[] = [];
  /** Blocks that were ordered to be written, of pieces not yet verified, and who gave them. */
  readonly received = new Map<string, PeerHandle>();
  readonly #geometry: Geometry;
  readonly #peers: ReadonlyMap<PeerHandle, AuditedPeer>;
  /** Pieces that failed with several contributors. */
  readonly #suspect = new Set<PieceIndex>();

  constructor(geometry: Geometry, have: Has, peers: ReadonlyMap<PeerHandle, AuditedPeer>) {
    this.#geometry = geometry;
    this.have = bitfieldOf(have, geometry.pieceCount);
    this.#peers = peers;
  }

  /** All of the run. */
  isHere(block: Block): boolean {
    return this.have.get(block.piece) || namesOf(block).every((name) => this.received.has(name));
  }

  isWhole(piece: PieceIndex): boolean {
    return this.#blocksOf(piece).every((block) => this.received.has(nameOf(block)));
  }

  /** @returns why this request may not leave, or undefined. */
  objection(peer: AuditedPeer, block: Block): string | undefined {
    const names = namesOf(block);
    const others = [...this.#peers.values()].filter((other) => other !== peer);
    const asked = others.map((other) => new Set(other.askedNames));
    const copies = Math.max(...names.map((name) => asked.filter((set) => set.has(name)).length));
    const askedOfPeer = peer.askedNames;
    const edge = (at: number) => Math.floor(at / MAX_REQUEST_LENGTH);
    if (peer.choking || !peer.isWanted) return "requests go to peers that unchoked us and that we want";
    if (!peer.bitfield.get(block.piece)) return "the peer lacks the piece";
    if (this.#geometry.blockIndex(block) === undefined) return "no run of whole blocks";
    if (block.length > peer.requestLength) return "longer than the peer answers";
    if (edge(block.begin) !== edge(block.begin + block.length - 1)) return "lies in two spans";
    if (this.have.get(block.piece) || names.some((name) => this.received.has(name))) return "is here already";
    if (names.some((name) => askedOfPeer.includes(name))) return "asked of the same peer twice";
    if (askedOfPeer.length + names.length > (peer.snubbed ? 1 : peer.queueLimit))
      return "too many requests to one peer";
    if (copies >= MAX_ENDGAME_COPIES) return "asked of too many peers";
    if (copies > 0 && !this.#isEndgame()) return "asked twice outside of the endgame";
    if (this.#suspect.has(block.piece) && others.some((other) => other.isAskedFor(block.piece))) {
      return "a suspect piece has one source";
    }
    return undefined;
  }

  /** Who delivered the piece. */
  contributorsOf(piece: PieceIndex): Set<PeerHandle | undefined> {
    return new Set(this.#blocksOf(piece).map((block) => this.received.get(nameOf(block))));
  }

  /** @returns who delivered the piece. */
  hashed(piece: PieceIndex, right: boolean): Set<PeerHandle> {
    this.verifying.splice(this.verifying.indexOf(piece), 1);
    const contributors = new Set<PeerHandle>();
    for (const block of this.#blocksOf(piece)) {
      const from = this.received.get(nameOf(block));
      if (from !== undefined) contributors.add(from);
      this.received.delete(nameOf(block));
    }
    if (right) this.have.set(piece);
    if (right) this.#suspect.delete(piece);
    else if (contributors.size > 1) this.#suspect.add(piece);
    return contributors;
  }

  /** The peer delivers nothing for now: suspect pieces that it fetches alone and owes nothing of start afresh. */
  abandoned(peer: AuditedPeer): void {
    for (const [name, from] of this.received) {
      if (from === peer.handle) this.released(pieceIndex(Number(name.split(":")[0])));
    }
  }

  /** A suspect piece loses with its source what that delivered: the next failure has one culprit. */
  released(piece: PieceIndex): void {
    const isAsked = [...this.#peers.values()].some((peer) => peer.isAskedFor(piece));
    if (isAsked || !this.#suspect.has(piece) || this.verifying.includes(piece)) return;
    for (const block of this.#blocksOf(piece)) this.received.delete(nameOf(block));
  }

  /** Every missing block was asked for. */
  #isEndgame(): boolean {
    const asked = new Set([...this.#peers.values()].flatMap((peer) => peer.askedNames));
    for (let i = 0; i < this.#geometry.pieceCount; i++) {
      for (const block of this.#blocksOf(pieceIndex(i))) {
        if (!this.isHere(block) && !asked.has(nameOf(block))) return false;
      }
    }
    return true;
  }

  #blocksOf(piece: PieceIndex): Block[] {
    return Array.from({ length: this.#geometry.blockCount(piece) }, (_, i) => this.#geometry.block(piece, i));
  }
}
