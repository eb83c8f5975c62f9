// Numbered records for the tests of the state stores.
import { type InfoHash, infoHashOf } from "../../src/core/torrent/ids.ts";
import { sha1 } from "../../src/lib/sha1.ts";
import type { DownloadRecord, FileStamp } from "../../src/storage/state-store.ts";

export function hash(number: number): InfoHash {
  return infoHashOf(sha1(new TextEncoder().encode(String(number))));
}

export function stamp(number: number): FileStamp {
  return {
    dev: 2n ** 64n - 1n,
    inode: 2n ** 63n + BigInt(number),
    size: 2 ** 44 - number,
    mtimeNs: 1_795_223_434_335_995_886n,
    ctimeNs: 1_795_223_434_335_995_887n,
  };
}

export function record(number: number, more: Partial<DownloadRecord> = {}): DownloadRecord {
  return {
    infoHash: hash(number),
    partPath: `/data/ä ${number}`,
    partInode: 2n ** 64n - 1n - BigInt(number),
    size: 2 ** 44,
    bitfield: new Uint8Array([number & 255, 0x80, 0]),
    bootId: "0f5b",
    stopped: undefined,
    ...more,
  };
}
