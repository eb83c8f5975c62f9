// The handshake of the extension protocol (BEP 10): checks the peer's fields one by one, and builds ours. Does not know
// what any extension does.
import { asDict, type BencodeDict, decodeBencode, dictDict, dictInteger, dictText } from "./bencode.ts";
import { printable } from "./file-name.ts";
import { BLOCK_LENGTH, MAX_INBOUND_REQUESTS, MAX_REQUEST_LENGTH } from "../torrent/limits.ts";
import {
  MAX_CLIENT_NAME_LENGTH,
  MAX_HANDSHAKE_ITEMS,
  MAX_METADATA_LENGTH,
  MAX_PEER_REQUEST_QUEUE,
  MAX_HANDSHAKE_DEPTH,
} from "./limits.ts";

const limits = { maxDepth: MAX_HANDSHAKE_DEPTH, maxItems: MAX_HANDSHAKE_ITEMS };

export interface ExtendedHandshake {
  /** `m`: the peer's message id for each extension, 1..255; 0 disables the extension (BEP 10). */
  readonly extensions: ReadonlyMap<string, number>;
  /** `metadata_size`, 1..MAX_METADATA_LENGTH bytes (BEP 9); absent while the peer has no metadata, or when out of range. */
  readonly metadataSize?: number;
  /** `p`, 1..65535: where the peer accepts connections. */
  readonly listenPort?: number;
  /** `reqq`, clamped to 1..MAX_PEER_REQUEST_QUEUE: requests that the peer queues. */
  readonly requestQueue?: number;
  /** `pf_request_length`: bytes of the longest request that the peer answers; whole blocks, at most MAX_REQUEST_LENGTH. */
  readonly requestLength?: number;
  /** BEP 21: the peer downloads nothing. */
  readonly uploadOnly: boolean;
  /** `pf_collects`: the peer takes reports of hosts. */
  readonly collects: boolean;
  /** `v`, for the log: printable, at most MAX_CLIENT_NAME_LENGTH characters. */
  readonly client?: string;
}

/** Our fields besides `m`, which the Wire fills in from its list of extensions. */
export interface ExtendedHandshakeFields {
  readonly v: string;
  readonly p: number;
  readonly reqq: number;
  /** A key of p2pfile: other programs skip it, so runs of blocks are requested between p2pfile peers only. */
  readonly pf_request_length: number;
  readonly upload_only: 0 | 1;
  /** A key of p2pfile: we take reports. */
  readonly pf_collects?: 1;
  readonly metadata_size?: number;
}

/**
 * Fields that are absent, of another type or out of range are left out; other clients send `metadata_size` 0 while they
 * have no metadata.
 * @param bytes the payload after the extended message id 0.
 * @returns undefined when `bytes` is no dictionary, has too many items, or `m` has a value outside of 0..255.
 */
export function parseExtendedHandshake(bytes: Uint8Array): ExtendedHandshake | undefined {
  const dict = asDict(decodeBencode(bytes, limits));
  const extensions = dict === undefined ? undefined : parseExtensions(dict);
  if (dict === undefined || extensions === undefined) return undefined;

  // The range check is on the full number: truncated to 32 bits, 2^32 + 1 would pass as 1.
  const metadataSize = within(dictInteger(dict, "metadata_size"), MAX_METADATA_LENGTH);
  const listenPort = within(dictInteger(dict, "p"), 65535);
  const reqq = dictInteger(dict, "reqq");
  const requestLength = dictInteger(dict, "pf_request_length") ?? 0;
  const isLength = requestLength > 0 && requestLength % BLOCK_LENGTH === 0;
  const client = dictText(dict, "v");
  return {
    extensions,
    ...(metadataSize === undefined ? {} : { metadataSize }),
    ...(listenPort === undefined ? {} : { listenPort }),
    ...(reqq === undefined ? {} : { requestQueue: Math.min(Math.max(reqq, 1), MAX_PEER_REQUEST_QUEUE) }),
    ...(isLength ? { requestLength: Math.min(requestLength, MAX_REQUEST_LENGTH) } : {}),
    uploadOnly: dictInteger(dict, "upload_only") === 1,
    collects: dictInteger(dict, "pf_collects") === 1,
    ...(client === undefined
      ? {}
      : { client: printable(client).slice(0, MAX_CLIENT_NAME_LENGTH).toWellFormed() }),
  };
}

/** `metadataSize` is absent until we have the metadata. */
export function extendedHandshakeFields(self: {
  /** Name and version of this program. */
  readonly client: string;
  readonly port: number;
  readonly uploadOnly: boolean;
  readonly collects: boolean;
  readonly metadataSize?: number | undefined;
}): ExtendedHandshakeFields {
  return {
    v: self.client,
    p: self.port,
    reqq: MAX_INBOUND_REQUESTS,
    pf_request_length: MAX_REQUEST_LENGTH,
    upload_only: self.uploadOnly ? 1 : 0,
    ...(self.collects ? { pf_collects: 1 } : {}),
    ...(self.metadataSize === undefined ? {} : { metadata_size: self.metadataSize }),
  };
}

function parseExtensions(dict: BencodeDict): ReadonlyMap<string, number> | undefined {
  const extensions = new Map<string, number>();
  if (!dict.has("m")) return extensions;
  const ids = dictDict(dict, "m");
  if (ids === undefined) return undefined;
  for (const [name, id] of ids) {
    if (typeof id !== "number" || id < 0 || id > 255) return undefined;
    extensions.set(name, id);
  }
  return extensions;
}

function within(value: number | undefined, max: number): number | undefined {
  return value !== undefined && value >= 1 && value <= max ? value : undefined;
}
