// Peer exchange (BEP 11): the message, and the next one for a peer. Knows no connection; connected addresses and the time come in.
import { asDict, decodeBencode, dictBytes, encodeBencode } from "../format/bencode.ts";
import { MAX_PEX_ADDRESSES, PEX_INTERVAL_MS } from "./limits.ts";
import {
  COMPACT_LENGTH,
  addressKey,
  type PeerAddress,
  readCompact,
  writeCompact,
} from "../format/peer-address.ts";

/** Bit of `added.f`: the peer has the whole file, or will not download more of it. */
const SEED_FLAG = 0x02;
/** A dictionary of six strings; more would be another message. */
const limits = { maxDepth: 2, maxItems: 32 };

export interface PexPeer {
  readonly address: PeerAddress;
  readonly seed: boolean;
}

export interface PexMessage {
  readonly added: readonly PexPeer[];
  readonly dropped: readonly PeerAddress[];
}

/** Keys `added` and `dropped` (6 bytes each address) and `added.f` (one flag byte for each added address). */
export function encodePex(message: PexMessage): Uint8Array {
  return encodeBencode({
    added: compactList(message.added.map((peer) => peer.address)),
    "added.f": Uint8Array.from(message.added, (peer) => (peer.seed ? SEED_FLAG : 0)),
    dropped: compactList(message.dropped),
  });
}

/**
 * Reads at most MAX_PEX_ADDRESSES of each list and skips port 0; whether an address may be dialled is not decided here.
 * @returns undefined when `bytes` is not a dictionary, or a list not a multiple of 6 bytes.
 */
export function parsePex(bytes: Uint8Array): PexMessage | undefined {
  const dict = asDict(decodeBencode(bytes, limits));
  if (dict === undefined) return undefined;
  const added = readList(dictBytes(dict, "added"));
  const dropped = readList(dictBytes(dict, "dropped"));
  if (added === undefined || dropped === undefined) return undefined;
  const flags = dictBytes(dict, "added.f");
  return {
    added: added.flatMap((address, at) =>
      address === undefined ? [] : { address, seed: ((flags?.[at] ?? 0) & SEED_FLAG) !== 0 },
    ),
    dropped: dropped.filter((address) => address !== undefined),
  };
}

/** The addresses that one peer has got, and when the next message is due: one a minute, 50 added and 50 dropped in each. */
export class PexFeed {
  readonly #sent = new Map<string, PeerAddress>();
  #lastSentMs = Number.NEGATIVE_INFINITY;

  /**
   * The difference between `connected` and what the peer has got, or undefined when there is none or it is too
   * early; what does not fit is left for the next message. The caller sends the result.
   * `connected`: our present peers under the addresses they listen on, without the peer itself, each once.
   */
  next(connected: readonly PexPeer[], now: number): PexMessage | undefined {
    if (now - this.#lastSentMs < PEX_INTERVAL_MS) return undefined;
    const present = new Set(connected.map((peer) => addressKey(peer.address)));
    const added = connected
      .filter((peer) => !this.#sent.has(addressKey(peer.address)))
      .slice(0, MAX_PEX_ADDRESSES);
    const dropped = [...this.#sent.values()]
      .filter((address) => !present.has(addressKey(address)))
      .slice(0, MAX_PEX_ADDRESSES);
    if (added.length === 0 && dropped.length === 0) return undefined;

    for (const { address } of added) this.#sent.set(addressKey(address), address);
    for (const address of dropped) this.#sent.delete(addressKey(address));
    this.#lastSentMs = now;
    return { added, dropped };
  }
}

function compactList(addresses: readonly PeerAddress[]): Uint8Array {
  const bytes = new Uint8Array(addresses.length * COMPACT_LENGTH);
  addresses.forEach((address, at) => writeCompact(address, bytes, at * COMPACT_LENGTH));
  return bytes;
}

/** An absent list is an empty one. A bad entry is undefined, so that the flags match by index. */
function readList(bytes: Uint8Array = new Uint8Array(0)): (PeerAddress | undefined)[] | undefined {
  if (bytes.length % COMPACT_LENGTH !== 0) return undefined;
  const count = Math.min(bytes.length / COMPACT_LENGTH, MAX_PEX_ADDRESSES);
  return Array.from({ length: count }, (_, at) => readCompact(bytes, at * COMPACT_LENGTH));
}
