// The messages of the metadata exchange (BEP 9): a dictionary, and for data the piece's bytes after it.
import { asDict, decodeBencode, dictInteger, encodeBencode, scanPrefix } from "../core/format/bencode.ts";
import { concatBytes } from "../lib/bytes.ts";

export const MetadataMessageType = { request: 0, data: 1, reject: 2 } as const;

export interface MetadataMessage {
  /** 0, 1 or 2; others are of later versions of the protocol. */
  readonly type: number;
  /** Any integer within 2^53. */
  readonly piece: number;
  readonly totalSize: number | undefined;
  /** Empty but for data. A view on the bytes that were parsed. */
  readonly payload: Uint8Array;
}

/** Such a message has three keys; foreign clients may add some. */
const limits = { maxDepth: 4, maxItems: 64 };

/** @returns undefined unless `bytes` starts with a dictionary that has both integers. */
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
 * In the one form that ut_metadata reads right: it takes the first "ee" for the end of the dictionary, and these keys
 * alone cannot contain one earlier.
 */
export function encodeMetadataMessage(message: MetadataMessage): Uint8Array {
  const dict = encodeBencode({
    msg_type: message.type,
    piece: message.piece,
    ...(message.totalSize === undefined ? {} : { total_size: message.totalSize }),
  });
  return concatBytes([dict, message.payload]);
}
