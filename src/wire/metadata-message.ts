// The ut_metadata messages (BEP 9): a dictionary, followed by the bytes of the piece in a data message.
import { asDict, decodeBencode, dictInteger, encodeBencode, scanPrefix } from "../core/format/bencode.ts";
import { concatBytes } from "../lib/bytes.ts";
import { MAX_METADATA_BENCODE_DEPTH, MAX_METADATA_BENCODE_ITEMS } from "./limits.ts";

export const MetadataMessageType = { request: 0, data: 1, reject: 2 } as const;

export interface MetadataMessage {
  /** `msg_type`: 0, 1 or 2; others are unknown. */
  readonly type: number;
  /** Any integer within ±(2^53 - 1). */
  readonly piece: number;
  readonly totalSize: number | undefined;
  /** The bytes after the dictionary, a view; empty except in data messages. */
  readonly payload: Uint8Array;
}

/** A message has three keys; other clients may add some. */
const limits = { maxDepth: MAX_METADATA_BENCODE_DEPTH, maxItems: MAX_METADATA_BENCODE_ITEMS };

/** @returns undefined unless `bytes` begins with a dictionary that has integers `msg_type` and `piece`. */
export function parseMetadataMessage(bytes: Uint8Array): MetadataMessage | undefined {
  const end = scanPrefix(bytes, limits);
  const dict = end === undefined ? undefined : asDict(decodeBencode(bytes.subarray(0, end), limits));
  if (dict === undefined) return undefined;
  const type = dictInteger(dict, "msg_type");
  const piece = dictInteger(dict, "piece");
  if (type === undefined || piece === undefined) return undefined;
  return { type, piece, totalSize: dictInteger(dict, "total_size"), payload: bytes.subarray(end) };
}

/**
 * Encodes exactly these keys: ut_metadata takes the first "ee" for the end of the dictionary, and with them there is none
 * earlier.
 */
export function encodeMetadataMessage(message: MetadataMessage): Uint8Array {
  const dict = encodeBencode({
    msg_type: message.type,
    piece: message.piece,
    ...(message.totalSize === undefined ? {} : { total_size: message.totalSize }),
  });
  return concatBytes([dict, message.payload]);
}
