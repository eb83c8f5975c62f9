// The .torrent for the contestants that want one: the same pieces as p2pfile cuts, written without its code.
import { closeSync, openSync, readSync, writeFileSync } from "node:fs";
import { basename } from "node:path";

/** `pieceLength`, like every length here, is in bytes. No tracker and no node is named. */
export function writeTorrent(path: string, contentPath: string, size: number, pieceLength: number): void {
  const digests: Uint8Array[] = [];
  const piece = new Uint8Array(pieceLength);
  const fd = openSync(contentPath, "r");
  for (let at = 0; at < size; at += pieceLength) {
    const count = readSync(fd, piece, 0, Math.min(pieceLength, size - at), at);
    digests.push(new Uint8Array(Bun.SHA1.hash(piece.subarray(0, count)).buffer));
  }
  closeSync(fd);
  const name = basename(contentPath);
  const pieces = Buffer.concat(digests);
  const head = `d4:infod6:lengthi${size}e4:name${Buffer.byteLength(name)}:${name}12:piece lengthi${pieceLength}e6:pieces${pieces.length}:`;
  writeFileSync(path, Buffer.concat([Buffer.from(head), pieces, Buffer.from("ee")]));
}
