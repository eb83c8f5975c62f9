// Node ids: what ours is made of, and how far two ids, or an id and an info hash, are apart (BEP 5). Pure.
import { addressKey, COMPACT_LENGTH, type PeerAddress } from "../core/format/peer-address.ts";
import { sha1 } from "../lib/sha1.ts";

/** Bytes of the compact form of a node: its id, IPv4 address and port (BEP 5). */
export const NODE_LENGTH = 20 + COMPACT_LENGTH;

/** The same after a restart on the same port: other nodes query the id they know, and drop an answer under another. */
export function nodeIdOf(address: PeerAddress): Buffer {
  return Buffer.from(sha1(new TextEncoder().encode(addressKey(address))));
}

/** @returns 20 bytes, to be compared as bytes: the smaller, the nearer. */
export function distanceOf(target: Uint8Array, id: Uint8Array): Buffer {
  return Buffer.from(target.map((byte, i) => byte ^ (id[i] ?? 0)));
}

/** Bits that both begin with: nodes that share as many with our own id fill one bucket of the routing table. */
export function sharedBits(one: Uint8Array, other: Uint8Array): number {
  const distance = distanceOf(one, other);
  const bytes = distance.findIndex((byte) => byte !== 0);
  return bytes < 0 ? 8 * distance.length : 8 * bytes + Math.clz32(distance.readUInt8(bytes)) - 24;
}
