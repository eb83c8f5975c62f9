// What a peer said as raw numbers, and its check against the geometry: the border where a number becomes a piece or a
// fault. Requests are not here: a bad one is answered, not punished at once.
import { assertNever } from "../lib/assert.ts";
import { Bitfield } from "../core/torrent/bitfield.ts";
import type { Geometry } from "../core/torrent/geometry.ts";
import { MAX_REQUEST_LENGTH } from "../core/torrent/limits.ts";
import type { Block, PeerFault, PeerMessage } from "../core/torrent/peer-message.ts";

export type HeardMessage =
  | { readonly type: "choke" | "unchoke" | "interested" | "notInterested" | "haveAll" | "haveNone" }
  | { readonly type: "have" | "suggest" | "allowedFast"; readonly index: number }
  | { readonly type: "bitfield"; readonly bytes: Uint8Array }
  | { readonly type: "reject"; readonly index: number; readonly begin: number; readonly length: number };

/** @returns the message with checked indices (bitfields are copied, their spare bits cleared), or what is wrong. */
export function checkMessage(heard: HeardMessage, geometry: Geometry): PeerMessage | PeerFault {
  switch (heard.type) {
    case "choke":
    case "unchoke":
    case "interested":
    case "notInterested":
    case "haveAll":
    case "haveNone":
      return { type: heard.type };
    case "have":
    case "suggest":
    case "allowedFast": {
      const piece = geometry.piece(heard.index);
      return piece === undefined ? "badPieceIndex" : { type: heard.type, piece };
    }
    case "bitfield": {
      const bitfield = Bitfield.parse(heard.bytes, geometry.pieceCount);
      return bitfield === undefined ? "badBitfield" : { type: "bitfield", bytes: bitfield.bytes };
    }
    case "reject": {
      const block = checkBlock(geometry, heard.index, heard.begin, heard.length);
      return block === undefined ? "badMessage" : { type: "reject", block };
    }
    default:
      return assertNever(heard);
  }
}

/** @returns undefined unless the bytes lie inside an existing piece and are at most MAX_REQUEST_LENGTH. */
export function checkBlock(
  geometry: Geometry,
  index: number,
  begin: number,
  length: number,
): Block | undefined {
  const piece = geometry.piece(index);
  if (piece === undefined) return undefined;
  const block = { piece, begin, length };
  return geometry.isServable(block, MAX_REQUEST_LENGTH) ? block : undefined;
}
