// What peers say to one another (BEP 3 and 6) in coordinates only, and why we hang up on one.
import type { PieceIndex } from "./ids.ts";

/**
 * What one request asks for: a block of 16 KiB but for the end of the file (BEP 3), or a run of several blocks in a row
 * within one piece. `begin` counts bytes from the start of the piece.
 */
export interface Block {
  readonly piece: PieceIndex;
  readonly begin: number;
  readonly length: number;
}

/**
 * Every message the core can hear or say. A `block` (the wire's "piece" message) carries coordinates; its bytes stay
 * in the shell. Indices and lengths were checked against the geometry at the border.
 */
export type PeerMessage =
  | { readonly type: "choke" | "unchoke" | "interested" | "notInterested" | "haveAll" | "haveNone" }
  | { readonly type: "have" | "suggest" | "allowedFast"; readonly piece: PieceIndex }
  | { readonly type: "bitfield"; readonly bytes: Uint8Array }
  | { readonly type: "request" | "cancel" | "reject" | "block"; readonly block: Block };

/** Why a connection was closed by us. Counted and logged at debug; never an exception. */
export type PeerFault =
  | "badHandshake"
  | "unknownInfoHash"
  | "handshakeTimeout"
  | "selfConnection"
  | "duplicateConnection"
  | "tooManyConnections"
  | "frameTooLong"
  | "badFrameLength"
  | "badMessage"
  | "unexpectedMessage"
  | "badBitfield"
  | "badPieceIndex"
  | "badRequest"
  | "badExtension"
  | "badMetadata"
  | "hashMismatch"
  | "banned"
  | "idle"
  | "stalledWrite"
  | "notNeeded"
  | "shutdown";
