// Takes and compares the stamps by which a file's content is recognised without reading it.
import { fstat, promises, type BigIntStats } from "node:fs";
import { promisify } from "node:util";
import type { FileStamp } from "./state-store.ts";

const fstatOf = promisify(fstat);

/** `target`: a descriptor, or a path whose symlinks are followed. Rejects with the system error. */
export async function stampOf(target: number | string): Promise<FileStamp> {
  return stampOfStats(await statsOf(target));
}

/** All stats with 64-bit fields; the shared way to look at a descriptor or a path. */
export async function statsOf(target: number | string): Promise<BigIntStats> {
  return typeof target === "number"
    ? await fstatOf(target, { bigint: true })
    : await promises.stat(target, { bigint: true });
}

export function stampOfStats(stats: BigIntStats): FileStamp {
  return {
    dev: stats.dev,
    inode: stats.ino,
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
  };
}

export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return (
    a.dev === b.dev &&
    a.inode === b.inode &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  );
}
