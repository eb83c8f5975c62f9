// A state file written by the real store, and copies of it that are damaged by a list of edits. Each part of the input is one
// edit: byte 0 is the operation, bytes 1 and 2 the position, then the bytes to write.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type InfoHash, infoHashOf } from "../../../src/core/torrent/ids.ts";
import { readUint16 } from "../../../src/lib/bytes.ts";
import { silentLogger } from "../../helpers/silent-logger.ts";
import { sha1 } from "../../../src/lib/sha1.ts";
import { STATE_FILE_NAME } from "../../../src/storage/own-files.ts";
import { SqliteStore } from "../../../src/storage/sqlite-store.ts";
import type { DownloadRecord, FileStamp, HashedFile } from "../../../src/storage/state-store.ts";

/** Bits of byte 0 of an edit. */
export const Edit = { xor: 1, cut: 2, replace: 4, absolute: 8, log: 16 } as const;

const text = (value: string) => new TextEncoder().encode(value);

export const infos: readonly Uint8Array[] = ["first info", "second info dict, longer"].map(text);
export const hashes: readonly InfoHash[] = infos.map((info) => infoHashOf(sha1(info)));

function stampOf(inode: bigint): FileStamp {
  return {
    dev: 64_769n,
    inode,
    size: 4_000_000_000,
    mtimeNs: 1_795_223_434_335_995_886n,
    ctimeNs: 1_795_223_434_335_995_887n,
  };
}

/** One file hashed with two piece lengths, and another file. */
export const hashedFiles: readonly HashedFile[] = [
  { stamp: stampOf(1_234_567n), pieceLength: 1 << 20, pieces: new Uint8Array(60).fill(0x61) },
  { stamp: stampOf(1_234_567n), pieceLength: 1 << 21, pieces: new Uint8Array(40).fill(0x62) },
  { stamp: stampOf(2n ** 63n + 5n), pieceLength: 1 << 20, pieces: new Uint8Array(20).fill(0x63) },
];

export const downloads: readonly DownloadRecord[] = hashes.map((infoHash, index) => ({
  infoHash,
  partPath: `/data/.file ${index}.p2pfile-part`,
  partInode: 9_000_001n + BigInt(index),
  size: 40_000,
  bitfield: Uint8Array.of(0xa0, 0x40 + index),
  bootId: `b4f0cf6e-7d2c-4a0e-9f4b-00000000000${index}`,
  stopped:
    index === 0 ? { mtimeNs: 1_795_223_434_335_995_886n, ctimeNs: 1_795_223_434_335_995_887n } : undefined,
}));

export const ports: readonly number[] = [42_071, 42_099];

interface Files {
  readonly database: Uint8Array;
  /** The log of a process that was killed: only the log has its latest transactions. */
  readonly log: Uint8Array;
}

export class StoreFixture {
  readonly #closed: Files;
  readonly #killed: Files;

  constructor() {
    const folder = newFolder();
    const store = new SqliteStore(folder, { logger: silentLogger, wallMs: () => 1 });
    for (const [index, hash] of hashes.entries()) {
      store.rememberPort(hash, ports[index] ?? 0);
      store.rememberMetadata(hash, infos[index] ?? new Uint8Array(0));
    }
    for (const file of hashedFiles) store.rememberHashedFile(file);
    for (const record of downloads) store.saveDownload(record);
    this.#killed = { database: read(folder, ""), log: read(folder, "-wal") };
    store.close();
    this.#closed = { database: read(folder, ""), log: new Uint8Array(0) };
    removeFolder(folder);
  }

  /** @returns a new folder with the damaged state file in it; the caller removes it. */
  damaged(edits: readonly Uint8Array[]): string {
    const folder = newFolder();
    const isKilled = edits.some((edit) => ((edit[0] ?? 0) & Edit.log) !== 0);
    let { database, log } = isKilled ? this.#killed : this.#closed;
    for (const edit of edits) {
      if (((edit[0] ?? 0) & Edit.log) === 0) database = edited(database, edit);
      else log = edited(log, edit);
    }
    writeFileSync(join(folder, STATE_FILE_NAME), database);
    if (isKilled) writeFileSync(join(folder, `${STATE_FILE_NAME}-wal`), log);
    return folder;
  }
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "p2pfile-fuzz-store-"));
}

function read(folder: string, suffix: string): Uint8Array {
  return Uint8Array.from(readFileSync(join(folder, STATE_FILE_NAME + suffix)));
}

function edited(file: Uint8Array, edit: Uint8Array): Uint8Array {
  // A head that was cut goes on with zeros.
  const head = Uint8Array.of(...edit.subarray(0, 3), 0, 0, 0);
  const flags = head[0] ?? 0;
  const place = readUint16(head, 1);
  const bytes = edit.subarray(3);
  if (flags & Edit.replace) return bytes;
  if (flags & Edit.cut) return file.subarray(0, Math.floor((place / 65536) * file.length));
  const copy = Uint8Array.from(file);
  // Most of the file is empty, so positions count the bytes in use.
  const used = flags & Edit.absolute ? undefined : [...copy.keys()].filter((at) => copy[at] !== 0);
  const start = used === undefined ? place : (used[place % Math.max(1, used.length)] ?? 0);
  for (const [index, byte] of bytes.entries()) {
    const at = start + index;
    if (at < copy.length) copy[at] = flags & Edit.xor ? (copy[at] ?? 0) ^ byte : byte;
  }
  return copy;
}
