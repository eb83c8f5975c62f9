// The handshake of the extension protocol (BEP 10): what a peer says of itself, checked field by field, and what we
// say of ourselves. Does not know what any extension does.
import { asDict, type BencodeDict, decodeBencode, dictDict, dictInteger, dictText } from "./bencode.ts";
import { printable } from "./file-name.ts";
import { BLOCK_LENGTH, MAX_INBOUND_REQUESTS, MAX_REQUEST_LENGTH } from "../torrent/limits.ts";
import {
  MAX_CLIENT_NAME_LENGTH,
  MAX_HANDSHAKE_ITEMS,
  MAX_METADATA_LENGTH,
  MAX_PEER_REQUEST_QUEUE,
} from "./limits.ts";

const limits = { maxDepth: 4, maxItems: MAX_HANDSHAKE_ITEMS };

export interface ExtendedHandshake {
  /** `m`: the peer's message id of each extension, 1..255; 0 takes the extension back. */
  readonly extensions: ReadonlyMap<string, number>;
  /** 1..MAX_METADATA_LENGTH bytes (BEP 9); absent while the peer has no metadata, or claims a size beyond it. */
  readonly metadataSize?: number;
  /** `p`, 1..65535: where the peer accepts connections. */
  readonly listenPort?: number;
  /** `reqq`, brought within 1..MAX_PEER_REQUEST_QUEUE: requests the peer lets wait. */
  readonly requestQueue?: number;
  /** `pf_request_length`: bytes of the longest request it answers; whole blocks, at most MAX_REQUEST_LENGTH. */
  readonly requestLength?: number;
  /** BEP 21: the peer wants nothing. */
  readonly uploadOnly: boolean;
  /** `v`, for the log: printable, at most MAX_CLIENT_NAME_LENGTH characters. */
  readonly client?: string;
}

/** Our fields besides `m`, which the Wire fills in from the extensions it was given. */
export interface ExtendedHandshakeFields {
  readonly v: string;
  readonly p: number;
  readonly reqq: number;
  /** Our own key: other programs skip it, and so p2pfile peers alone ask one another for runs of blocks. */
  readonly pf_request_length: number;
  readonly upload_only: 0 | 1;
  readonly metadata_size?: number;
}

/**
 * `bytes` is the payload after the extended message id 0. Fields that are absent, of another type or out of range
 * are left out; other clients send `metadata_size` 0 while they have none.
 * @returns undefined when it is no dictionary, has too many items, or `m` holds what cannot be a message id.
 */
export function parseExtendedHandshake(bytes: Uint8Array): ExtendedHandshake | undefined {
  const dict = asDict(decodeBencode(bytes, limits));
  const extensions = dict === undefined ? undefined : parseExtensions(dict);
  if (dict === undefined || extensions === undefined) return undefined;

  // Compared as numbers of full width: cut to 32 bits first, 2^32 + 1 would become 1.
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
    ...(client === undefined
      ? {}
      : { client: printable(client).slice(0, MAX_CLIENT_NAME_LENGTH).toWellFormed() }),
  };
}

/** `metadataSize` is left out until we have the metadata. */
export function extendedHandshakeFields(self: {
  /** Name and version of this program. */
  readonly client: string;
  readonly port: number;
  readonly uploadOnly: boolean;
  readonly metadataSize?: number | undefined;
}): ExtendedHandshakeFields {
  return {
    v: self.client,
    p: self.port,
    reqq: MAX_INBOUND_REQUESTS,
    pf_request_length: MAX_REQUEST_LENGTH,
    upload_only: self.uploadOnly ? 1 : 0,
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
