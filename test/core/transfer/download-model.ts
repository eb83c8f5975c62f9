// The auditor's simple model of a download: verified pieces, received blocks, and pieces that need a sole source. Plain maps,
// searched on every question.
import type { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import type { Geometry } from "../../../src/core/torrent/geometry.ts";
import { type PeerHandle, type PieceIndex, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { MAX_ENDGAME_COPIES } from "../../../src/core/picker/limits.ts";
import { MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { type AuditedPeer, nameOf, namesOf } from "../picker/audited-peer.ts";
import { bitfieldOf, type Has } from "./transfer-fixture.ts";

export class DownloadModel {
  readonly have: Bitfield;
  /** Pieces to be hashed. */
  readonly verifying: PieceIndex[] = [];
  /** Written blocks of pieces that are not verified, with their contributors. */
  readonly received = new Map<string, PeerHandle>();
  readonly #geometry: Geometry;
  readonly #peers: ReadonlyMap<PeerHandle, AuditedPeer>;
  /** Pieces that failed with several contributors. */
  readonly #needsSoleSource = new Set<PieceIndex>();

  constructor(geometry: Geometry, have: Has, peers: ReadonlyMap<PeerHandle, AuditedPeer>) {
    this.#geometry = geometry;
    this.have = bitfieldOf(have, geometry.pieceCount);
    this.#peers = peers;
  }

  /** True when every block of the run is received. */
  isReceived(block: Block): boolean {
    return this.have.get(block.piece) || namesOf(block).every((name) => this.received.has(name));
  }

  isWhole(piece: PieceIndex): boolean {
    return this.#blocksOf(piece).every((block) => this.received.has(nameOf(block)));
  }

  /** @returns why this request breaks a rule, or undefined. */
  objection(peer: AuditedPeer, block: Block): string | undefined {
    const names = namesOf(block);
    const others = [...this.#peers.values()].filter((other) => other !== peer);
    const asked = others.map((other) => new Set(other.requestedNames));
    const copies = Math.max(...names.map((name) => asked.filter((set) => set.has(name)).length));
    const askedOfPeer = peer.requestedNames;
    const edge = (at: number) => Math.floor(at / MAX_REQUEST_LENGTH);
    if (peer.choking || !peer.amInterested)
      return "requests go to peers that unchoked us and that we are interested in";
    if (!peer.bitfield.get(block.piece)) return "the peer lacks the piece";
    if (this.#geometry.blockIndex(block) === undefined) return "not a run of whole blocks";
    if (block.length > peer.requestLength) return "longer than the peer answers";
    if (edge(block.begin) !== edge(block.begin + block.length - 1))
      return "crosses a multiple of the longest request";
    if (this.have.get(block.piece) || names.some((name) => this.received.has(name)))
      return "received already";
    if (names.some((name) => askedOfPeer.includes(name))) return "requested from the same peer twice";
    if (askedOfPeer.length + names.length > (peer.snubbed ? 1 : peer.queueLimit))
      return "too many requests to one peer";
    if (copies >= MAX_ENDGAME_COPIES) return "requested from too many peers";
    if (copies > 0 && !this.#isEndgame()) return "requested twice outside of the end-game";
    if (this.#needsSoleSource.has(block.piece) && others.some((other) => other.hasRequestFor(block.piece))) {
      return "the piece has another sole source";
    }
    return undefined;
  }

  /** Handles of the peers that sent the piece. */
  contributorsOf(piece: PieceIndex): Set<PeerHandle | undefined> {
    return new Set(this.#blocksOf(piece).map((block) => this.received.get(nameOf(block))));
  }

  /** @returns handles of the contributors. */
  hashed(piece: PieceIndex, right: boolean): Set<PeerHandle> {
    this.verifying.splice(this.verifying.indexOf(piece), 1);
    const contributors = new Set<PeerHandle>();
    for (const block of this.#blocksOf(piece)) {
      const from = this.received.get(nameOf(block));
      if (from !== undefined) contributors.add(from);
      this.received.delete(nameOf(block));
    }
    if (right) this.have.set(piece);
    if (right) this.#needsSoleSource.delete(piece);
    else if (contributors.size > 1) this.#needsSoleSource.add(piece);
    return contributors;
  }

  /** The peer sends nothing for now: pieces with it as sole source and without an outstanding request start again. */
  releaseSoleSource(peer: AuditedPeer): void {
    for (const [name, from] of this.received) {
      if (from === peer.handle) this.released(pieceIndex(Number(name.split(":")[0])));
    }
  }

  /** With its sole source a piece loses every received block, so that the next attempt has one contributor. */
  released(piece: PieceIndex): void {
    const isAsked = [...this.#peers.values()].some((peer) => peer.hasRequestFor(piece));
    if (isAsked || !this.#needsSoleSource.has(piece) || this.verifying.includes(piece)) return;
    for (const block of this.#blocksOf(piece)) this.received.delete(nameOf(block));
  }

  /** True when every missing block is requested. */
  #isEndgame(): boolean {
    const asked = new Set([...this.#peers.values()].flatMap((peer) => peer.requestedNames));
    for (let i = 0; i < this.#geometry.pieceCount; i++) {
      for (const block of this.#blocksOf(pieceIndex(i))) {
        if (!this.isReceived(block) && !asked.has(nameOf(block))) return false;
      }
    }
    return true;
  }

  #blocksOf(piece: PieceIndex): Block[] {
    return Array.from({ length: this.#geometry.blockCount(piece) }, (_, i) => this.#geometry.block(piece, i));
  }
}
