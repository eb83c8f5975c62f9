// Writes our messages into the sink: requests, cancels, rejects and blocks directly, because they are frequent, the others
// through the library, which keeps the choke and interest state. Without the peer's fast extension it falls back to BEP 3.
import { type Block, BLOCK_HEADER_LENGTH, type PeerMessage } from "../core/torrent/peer-message.ts";
import { assert, assertNever } from "../lib/assert.ts";
import { Bitfield } from "../core/torrent/bitfield.ts";
import type { ByteSink } from "../lib/byte-sink.ts";
import { writeUint32 } from "../lib/bytes.ts";
import type { GuardedWire } from "./guarded-wire.ts";
import { MessageId } from "./message-id.ts";

const REQUEST_LENGTH = 17;

/** @param pieceCount undefined before the metadata, when haveAll cannot be sent without the fast extension. */
export function writeMessage(
  wire: GuardedWire,
  sink: ByteSink,
  message: PeerMessage,
  pieceCount: number | undefined,
): void {
  switch (message.type) {
    case "choke":
      return wire.choke();
    case "unchoke":
      return wire.unchoke();
    case "interested":
      return wire.interested();
    case "notInterested":
      return wire.uninterested();
    case "have":
      return wire.have(message.piece);
    case "bitfield":
      return wire.bitfield(message.bytes);
    case "haveAll":
      if (wire.hasFast) return wire.haveAll();
      assert(pieceCount !== undefined, "haveAll before the number of pieces is known");
      return wire.bitfield(Bitfield.full(pieceCount).bytes);
    case "haveNone":
      if (wire.hasFast) wire.haveNone();
      return;
    case "request":
      return writeCoordinates(sink, MessageId.request, message.block);
    case "cancel":
      return writeCoordinates(sink, MessageId.cancel, message.block);
    case "reject":
      if (wire.hasFast) writeCoordinates(sink, MessageId.reject, message.block);
      return;
    case "suggest":
      if (wire.hasFast) wire.suggest(message.piece);
      return;
    case "allowedFast":
      if (wire.hasFast) wire.allowedFast(message.piece);
      return;
    case "block":
      return assert(false, "a block is sent with its bytes");
    default:
      return assertNever(message);
  }
}

/** Writes the header of a "piece" message. @returns a view of `block.length` bytes to fill with the payload. */
export function reserveBlock(sink: ByteSink, block: Block): Uint8Array {
  const bytes = sink.reserve(BLOCK_HEADER_LENGTH + block.length);
  writeUint32(bytes, 0, BLOCK_HEADER_LENGTH - 4 + block.length);
  bytes[4] = MessageId.block;
  writeUint32(bytes, 5, block.piece);
  writeUint32(bytes, 9, block.begin);
  return new Uint8Array(bytes.buffer, bytes.byteOffset + BLOCK_HEADER_LENGTH, block.length);
}

function writeCoordinates(sink: ByteSink, id: number, block: Block): void {
  const bytes = sink.reserve(REQUEST_LENGTH);
  writeUint32(bytes, 0, REQUEST_LENGTH - 4);
  bytes[4] = id;
  writeUint32(bytes, 5, block.piece);
  writeUint32(bytes, 9, block.begin);
  writeUint32(bytes, 13, block.length);
}
