// The message of our own extension `pf_hosts` (BEP 10): hosts and how far they are. docs/BEPS.md describes it for others.
import { present } from "../../lib/assert.ts";
import { fromHex, readUint32, toHex, writeUint32 } from "../../lib/bytes.ts";
import {
  asDict,
  type BencodeDict,
  decodeBencode,
  dictBytes,
  dictInteger,
  encodeBencode,
} from "../format/bencode.ts";
import { FIRST_HAND_STATES, type FirstHandState } from "./first-hand-hosts.ts";
import { HOST_STATES, type HostEntry } from "./host-roster.ts";
import {
  DESTINATION_ID_LENGTH,
  MAX_HOSTS_PER_MESSAGE,
  MAX_HOSTS_BENCODE_DEPTH,
  MAX_HOSTS_BENCODE_ITEMS,
} from "./limits.ts";
import { readCompact, writeCompact } from "../format/peer-address.ts";

/** Its name in the extension handshake. */
export const HOST_EXCHANGE = "pf_hosts";

/** Compact address (6), state (1), seconds since 1970 (4, big-endian). */
const ENTRY_LENGTH = 11;
const STATE_AT = 6;
const SINCE_AT = 7;
/** A dictionary of one string; later versions may add a few. */
const limits = { maxDepth: MAX_HOSTS_BENCODE_DEPTH, maxItems: MAX_HOSTS_BENCODE_ITEMS };

/** What a peer says of itself. It counts for the source address of its connection, and nothing else in the message does. */
export interface OwnStatement {
  /** In hexadecimal digits. */
  readonly destination: string;
  readonly state: FirstHandState;
}

export interface HostMessage {
  readonly hosts: readonly HostEntry[];
  /** Absent in messages of versions that state no destination. */
  readonly own: OwnStatement | undefined;
}

/** Key `h`, ENTRY_LENGTH bytes for each host; `d` and `s`, what we say of ourselves. */
export function encodeHosts(entries: readonly HostEntry[], own?: OwnStatement): Uint8Array {
  const bytes = new Uint8Array(entries.length * ENTRY_LENGTH);
  entries.forEach(({ address, state, since }, index) => {
    const at = index * ENTRY_LENGTH;
    writeCompact(address, bytes, at);
    bytes[at + STATE_AT] = HOST_STATES.indexOf(state);
    writeUint32(bytes, at + SINCE_AT, since);
  });
  if (own === undefined) return encodeBencode({ h: bytes });
  return encodeBencode({
    h: bytes,
    d: present(fromHex(own.destination)),
    s: FIRST_HAND_STATES.indexOf(own.state),
  });
}

/**
 * Reads at most MAX_HOSTS_PER_MESSAGE hosts; those with port 0 or a state we do not know are skipped.
 * @returns undefined when `bytes` is not a dictionary, or its `h` is absent or not a multiple of 11 bytes.
 */
export function parseHosts(bytes: Uint8Array): HostMessage | undefined {
  const dict = asDict(decodeBencode(bytes, limits));
  const list = dict === undefined ? undefined : dictBytes(dict, "h");
  if (dict === undefined || list === undefined || list.length % ENTRY_LENGTH !== 0) return undefined;
  const count = Math.min(list.length / ENTRY_LENGTH, MAX_HOSTS_PER_MESSAGE);
  const hosts = Array.from({ length: count }, (_, index) => index * ENTRY_LENGTH).flatMap((at) => {
    const address = readCompact(list, at);
    const state = HOST_STATES[list[at + STATE_AT] ?? HOST_STATES.length];
    if (address === undefined || state === undefined) return [];
    return [{ address, state, since: readUint32(list, at + SINCE_AT) }];
  });
  return { hosts, own: ownStatement(dict) };
}

/** A number that we do not know, or an id of another length, is no statement. */
function ownStatement(dict: BencodeDict): OwnStatement | undefined {
  const id = dictBytes(dict, "d");
  const state = FIRST_HAND_STATES[dictInteger(dict, "s") ?? -1];
  if (id?.length !== DESTINATION_ID_LENGTH || state === undefined) return undefined;
  return { destination: toHex(id), state };
}
