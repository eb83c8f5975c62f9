// The shape of DHT datagrams for the engine, and the address policy of these tests: loopback only.
import {
  DHT_REPLY_NODES,
  MAX_DATAGRAM_BENCODE_DEPTH,
  MAX_DATAGRAM_BENCODE_ITEMS,
  MAX_DATAGRAM_LENGTH,
  MAX_DHT_REPLY_PEERS,
} from "../../../src/discovery/limits.ts";
import type { PeerAddress } from "../../../src/core/format/peer-address.ts";

const id = "abcdefghij0123456789";

/** Replaced by the token that our node issues to the sender, so that announces can be valid. */
export const TOKEN_MARK = "<our token for you!>";

export const datagramTokens: readonly string[] = [
  `2:id20:${id}`,
  `6:target20:${id}`,
  `9:info_hash20:${id}`,
  `5:token20:${TOKEN_MARK}`,
  "4:porti6881e",
  "12:implied_porti1e",
  "1:q4:ping",
  "1:q9:find_node",
  "1:q9:get_peers",
  "1:q13:announce_peer",
  "1:q3:put",
  "1:t2:aa",
  "1:y1:q",
  "1:y1:r",
  "1:y1:e",
  "6:valuesl6:\x7f\0\0\x01\x1a\xe1e",
  `5:nodes26:${id}\x7f\0\0\x01\x1a\xe1`,
  `5:nodes26:${id}\xc0\0\x02\x01\x1a\xe1`,
  "1:eli201e1:xe",
  "8:toStringi1e",
  "9:__proto__de",
  "i-1e",
  "i65536e",
  "-3:",
  "le",
  "de",
];

export const datagramNumbers: readonly number[] = [
  MAX_DATAGRAM_LENGTH,
  MAX_DATAGRAM_BENCODE_DEPTH,
  MAX_DATAGRAM_BENCODE_ITEMS,
  MAX_DHT_REPLY_PEERS,
  DHT_REPLY_NODES,
  20,
  26,
  64,
  65535,
];

export function isLoopback(address: PeerAddress): boolean {
  return address.host.startsWith("127.");
}
