// A received message with raw numbers, and its check against the geometry: here a number becomes a piece or a fault.
// Requests are not included: a bad request is answered with a reject and only counted (MAX_BAD_REQUESTS).
import { assertNever } from "../lib/assert.ts";
import { Bitfield } from "../core/torrent/bitfield.ts";
import type { Geometry } from "../core/torrent/geometry.ts";
import { MAX_REQUEST_LENGTH } from "../core/torrent/limits.ts";
import type { Block, PeerFault, PeerMessage } from "../core/torrent/peer-message.ts";

export type UncheckedMessage =
  | { readonly type: "choke" | "unchoke" | "interested" | "notInterested" | "haveAll" | "haveNone" }
  | { readonly type: "have" | "suggest" | "allowedFast"; readonly index: number }
  | { readonly type: "bitfield"; readonly bytes: Uint8Array }
  | { readonly type: "reject"; readonly index: number; readonly begin: number; readonly length: number };

/** @returns the checked message (a bitfield is copied and its spare bits are cleared), or the fault. */
export function checkMessage(message: UncheckedMessage, geometry: Geometry): PeerMessage | PeerFault {
  switch (message.type) {
    case "choke":
    case "unchoke":
    case "interested":
    case "notInterested":
    case "haveAll":
    case "haveNone":
      return { type: message.type };
    case "have":
    case "suggest":
    case "allowedFast": {
      const piece = geometry.piece(message.index);
      return piece === undefined ? "badPieceIndex" : { type: message.type, piece };
    }
    case "bitfield": {
      const bitfield = Bitfield.parse(message.bytes, geometry.pieceCount);
      return bitfield === undefined ? "badBitfield" : { type: "bitfield", bytes: bitfield.bytes };
    }
    case "reject": {
      const block = checkBlock(geometry, message.index, message.begin, message.length);
      return block === undefined ? "badMessage" : { type: "reject", block };
    }
    default:
      return assertNever(message);
  }
}

/** @returns undefined unless the range lies inside an existing piece and has 1..MAX_REQUEST_LENGTH bytes. */
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
