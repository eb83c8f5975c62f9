// The peer messages (BEP 3 and 6) as coordinates without bytes, and the reasons to close a connection.
import type { PieceIndex } from "./ids.ts";

/** Bytes of a block message before its payload (BEP 3): length prefix, id, piece index, begin. Rate limits count them. */
export const BLOCK_HEADER_LENGTH = 13;

/**
 * The range of one request: a block of 16 KiB (shorter at the end of the file, BEP 3), or a run of consecutive blocks of
 * one piece. `begin` is in bytes from the start of the piece, `length` in bytes.
 */
export interface Block {
  readonly piece: PieceIndex;
  readonly begin: number;
  readonly length: number;
}

/**
 * Every message that the core receives or sends. A `block` (the "piece" message of BEP 3) carries coordinates; its bytes
 * stay in the shell. The wire has checked indices and lengths of received messages against the geometry.
 */
export type PeerMessage =
  | { readonly type: "choke" | "unchoke" | "interested" | "notInterested" | "haveAll" | "haveNone" }
  | { readonly type: "have" | "suggest" | "allowedFast"; readonly piece: PieceIndex }
  | { readonly type: "bitfield"; readonly bytes: Uint8Array }
  | { readonly type: "request" | "cancel" | "reject" | "block"; readonly block: Block };

/** Why we closed a connection. Counted and logged at debug; never an exception. */
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
