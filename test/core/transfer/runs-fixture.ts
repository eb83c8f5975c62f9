// Shared by the tests of runs: torrents of one piece, peers that answer runs and peers that do not.
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import type { PeerHandle } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { sent, type TransferFixture } from "./transfer-fixture.ts";

export const onePiece = new Geometry(8 * BLOCK_LENGTH, 8 * BLOCK_LENGTH);
/** Long enough that the least window has runs of four as well. */
export const longPiece = new Geometry(16 * BLOCK_LENGTH, 16 * BLOCK_LENGTH);
export const p2pfilePeer = { has: "all", unchokes: true, requestLength: 4 * BLOCK_LENGTH } as const;
export const otherClient = { has: "all", unchokes: true } as const;

/** The different lengths in blocks, the shortest first. */
export function lengths(blocks: readonly Block[]): number[] {
  return [...new Set(blocks.map(({ length }) => length / BLOCK_LENGTH))].toSorted((a, b) => a - b);
}

export function requests(fixture: TransferFixture, peer: PeerHandle): Block[] {
  return sent(fixture.log, "request", peer).map(({ block }) => block);
}
