// Branded types for identifiers that must not be confused with one another, and their only constructors.
import { fromHex, toHex } from "../../lib/bytes.ts";

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** SHA-1 of the raw info dict as 40 lower-case hexadecimal digits (BEP 3). */
export type InfoHash = Brand<string, "InfoHash">;
/** 20 bytes that name a running client (BEP 3), as 40 lower-case hexadecimal digits. */
export type PeerId = Brand<string, "PeerId">;
/** Index of a piece that exists in the torrent: 0 <= index < piece count. Geometry.piece checks indices from outside. */
export type PieceIndex = Brand<number, "PieceIndex">;
/** Number of one connection to one peer, counted from 1 within a process; never reused. */
export type PeerHandle = Brand<number, "PeerHandle">;

/** @returns undefined unless `hex` is 40 hexadecimal digits. */
export function parseInfoHash(hex: string): InfoHash | undefined {
  return /^[0-9a-fA-F]{40}$/.test(hex) ? (hex.toLowerCase() as InfoHash) : undefined;
}

/** @throws RangeError unless `bytes` has 20 bytes. */
export function infoHashOf(bytes: Uint8Array): InfoHash {
  if (bytes.length !== 20) throw new RangeError(`an info hash has 20 bytes, not ${bytes.length}`);
  return toHex(bytes) as InfoHash;
}

/** @returns the 20 bytes of an info hash or peer id. */
export function idBytes(id: InfoHash | PeerId): Uint8Array {
  return fromHex(id) ?? new Uint8Array(20);
}

/** @throws RangeError unless `bytes` has 20 bytes. */
export function peerIdOf(bytes: Uint8Array): PeerId {
  if (bytes.length !== 20) throw new RangeError(`a peer id has 20 bytes, not ${bytes.length}`);
  return toHex(bytes) as PeerId;
}

export function pieceIndex(value: number): PieceIndex {
  return value as PieceIndex;
}

export function peerHandle(value: number): PeerHandle {
  return value as PeerHandle;
}
