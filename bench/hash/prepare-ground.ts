// Writes what the benchmark of hashing hashes, and works out what must come out, without p2pfile's code.
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { pieceLengthFor } from "../../src/core/torrent/piece-length.ts";
import { MiB } from "../../src/lib/units.ts";
import { CONTENT_NAME } from "../contestants/contestant.ts";
import type { Workspace } from "../lib/workspace.ts";
import { writeContent } from "../lib/content-file.ts";
import { infoDictionary, pieceDigests } from "../lib/torrent-file.ts";
import type { HashGround } from "./hasher.ts";

export interface GroundOptions {
  readonly workspace: Workspace;
  /** On the file system under test. */
  readonly parent: string;
  readonly size: number;
  /** How many parts the copy of the file is cut into. */
  readonly cores: number;
  readonly writeLength: number;
}

/** Leaves all of it in the page cache, and nothing there that still has to be written to the disk. */
export function prepareGround({ workspace, parent, size, cores, writeLength }: GroundOptions): HashGround {
  const folder = workspace.folder(parent);
  const content = join(folder, CONTENT_NAME);
  writeContent(content, size, writeLength);
  syncFile(content);
  const pieceLength = pieceLengthFor(size);
  const digests = pieceDigests(content, size, pieceLength);
  const whole = new Bun.CryptoHasher("sha1");
  const partLength = Math.ceil(size / cores);
  const parts: string[] = [];
  const partDigests: string[] = [];
  for (let from = 0; from < size; from += partLength) {
    const part = join(folder, `part-${parts.length}`);
    parts.push(part);
    partDigests.push(copyPart(content, part, from, Math.min(size, from + partLength), whole));
    syncFile(part);
  }
  const info = infoDictionary(basename(content), size, pieceLength, digests);
  return {
    workspace,
    folder,
    content,
    size,
    pieceLength,
    parts,
    digests,
    contentDigest: whole.digest("hex"),
    partDigests,
    infoHash: new Bun.CryptoHasher("sha1").update(info).digest("hex"),
  };
}

/** @returns SHA-1 of the part; `whole` has seen it too. */
function copyPart(source: string, path: string, from: number, end: number, whole: Bun.CryptoHasher): string {
  const hasher = new Bun.CryptoHasher("sha1");
  const block = new Uint8Array(MiB);
  const [input, output] = [openSync(source, "r"), openSync(path, "wx")];
  try {
    for (let at = from; at < end;) {
      const count = readSync(input, block, 0, Math.min(block.length, end - at), at);
      if (count === 0) throw new Error(`${source} became shorter`);
      const bytes = block.subarray(0, count);
      hasher.update(bytes);
      whole.update(bytes);
      writeSync(output, bytes);
      at += count;
    }
  } finally {
    closeSync(input);
    closeSync(output);
  }
  return hasher.digest("hex");
}

/** Pages that wait for the disk would be written back while the clock runs. */
function syncFile(path: string): void {
  const fd = openSync(path, "r+");
  fdatasyncSync(fd);
  closeSync(fd);
}
