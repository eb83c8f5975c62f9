// What takes part in the benchmark of hashing, and what one run of it tells.
import type { Workspace } from "../lib/workspace.ts";

/** What all of them hash. */
export interface HashGround {
  readonly workspace: Workspace;
  /** On the file system under test. */
  readonly folder: string;
  /** The file, in the page cache and on its disk. */
  readonly content: string;
  readonly size: number;
  readonly pieceLength: number;
  /** The same bytes cut into one file per core. */
  readonly parts: readonly string[];
  /** What must come out: SHA-1 of the pieces, 20 bytes each. */
  readonly digests: Uint8Array;
  /** SHA-1 of the whole file and of each part, in hexadecimal. */
  readonly contentDigest: string;
  readonly partDigests: readonly string[];
  /** Of the torrent that p2pfile makes of the file, in hexadecimal. */
  readonly infoHash: string;
}

export interface HashRun {
  /** Seconds; undefined when it hashes something else than the file for as long as it is told to. */
  readonly wall?: number | undefined;
  /** GB/s; undefined when nothing is hashed. */
  readonly rate?: number | undefined;
  /** Seconds of processor time, all threads and processes together. */
  readonly cpu?: number | undefined;
  /** Milliseconds that timers on the main thread were late by meanwhile. */
  readonly lateness?: readonly number[] | undefined;
  /** How many cores of the machine were busy meanwhile, where that tells of other work. */
  readonly busyCores?: number | undefined;
}

export interface Hasher {
  readonly name: string;
  version(): string | undefined;
  /** One run. @throws when something else comes out than must. */
  run(): Promise<HashRun>;
  close?(): Promise<void>;
}

/** Slower than 20 MB/s is broken. */
export function timeoutFor(size: number): number {
  return 30_000 + size / 20_000;
}

export function assertDigests(found: Uint8Array, { digests }: HashGround): void {
  if (Buffer.compare(found, digests) !== 0) throw new Error("wrong digests came out");
}
