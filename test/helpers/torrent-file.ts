// Torrents for other clients, made without any code of src/, so that the two can be compared.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

export interface MadeTorrent {
  /** Raw bencoded info dict. */
  readonly info: Buffer;
  /** 40 lower-case hexadecimal digits. */
  readonly infoHash: string;
}

export type BencodeValue =
  | number
  | string
  | Uint8Array
  | readonly BencodeValue[]
  | { readonly [key: string]: BencodeValue };

/** Keys are sorted; strings are UTF-8. */
export function bencode(value: BencodeValue): Buffer {
  if (typeof value === "number") return Buffer.from(`i${value}e`);
  if (typeof value === "string") return bencode(Buffer.from(value));
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  if (Array.isArray(value)) return Buffer.concat([Buffer.from("l"), ...value.map(bencode), Buffer.from("e")]);
  const entries = Object.entries(value as { readonly [key: string]: BencodeValue }).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const body = entries.flatMap(([key, item]) => [bencode(key), bencode(item)]);
  return Buffer.concat([Buffer.from("d"), ...body, Buffer.from("e")]);
}

/** The info dict of `content` under any name, also an illegal one. */
export function makeInfo(name: string, content: Uint8Array, pieceLength: number): MadeTorrent {
  const digests: Buffer[] = [];
  for (let at = 0; at < content.length; at += pieceLength) {
    digests.push(
      createHash("sha1")
        .update(content.subarray(at, at + pieceLength))
        .digest(),
    );
  }
  const info = bencode({
    length: content.length,
    name,
    "piece length": pieceLength,
    pieces: Buffer.concat(digests),
  });
  return { info, infoHash: infoHashOf(info) };
}

export function infoHashOf(info: Uint8Array): string {
  return createHash("sha1").update(info).digest("hex");
}

/** Writes a .torrent without tracker or nodes. */
export function writeTorrent(
  path: string,
  filePath: string,
  name: string,
  pieceLength = 256 * 1024,
): MadeTorrent {
  const torrent = makeInfo(name, readFileSync(filePath), pieceLength);
  writeFileSync(path, Buffer.concat([Buffer.from("d4:info"), torrent.info, Buffer.from("e")]));
  return torrent;
}

export function magnetOf(infoHash: string, name: string, addresses: readonly string[] = []): string {
  const peers = addresses.map((address) => `&x.pe=${address}`).join("");
  return `magnet:?xt=urn:btih:${infoHash}&dn=${encodeURIComponent(name)}${peers}`;
}
