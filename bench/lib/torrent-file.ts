// The .torrent for the contestants that want one: the same pieces as p2pfile cuts, written without its code.
import { closeSync, openSync, readSync, writeFileSync } from "node:fs";
import { basename } from "node:path";

/** SHA-1 of every piece, 20 bytes each. */
export function pieceDigests(path: string, size: number, pieceLength: number): Uint8Array {
  const digests: Uint8Array[] = [];
  const piece = new Uint8Array(pieceLength);
  const fd = openSync(path, "r");
  for (let at = 0; at < size; at += pieceLength) {
    const count = readSync(fd, piece, 0, Math.min(pieceLength, size - at), at);
    digests.push(new Uint8Array(Bun.SHA1.hash(piece.subarray(0, count)).buffer));
  }
  closeSync(fd);
  return Buffer.concat(digests);
}

/** The info dictionary in its one bencoding. */
export function infoDictionary(
  name: string,
  size: number,
  pieceLength: number,
  digests: Uint8Array,
): Uint8Array {
  const head = `d6:lengthi${size}e4:name${Buffer.byteLength(name)}:${name}12:piece lengthi${pieceLength}e6:pieces${digests.length}:`;
  return Buffer.concat([Buffer.from(head), digests, Buffer.from("e")]);
}

/** `pieceLength`, like every length here, is in bytes. No tracker and no node is named. */
export function writeTorrent(path: string, contentPath: string, size: number, pieceLength: number): void {
  const digests = pieceDigests(contentPath, size, pieceLength);
  const info = infoDictionary(basename(contentPath), size, pieceLength, digests);
  writeFileSync(path, Buffer.concat([Buffer.from("d4:info"), info, Buffer.from("e")]));
}
