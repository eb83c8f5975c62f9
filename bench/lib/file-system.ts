// Which file system a folder lies on, and how much it takes.
import { statfsSync } from "node:fs";

/** f_type of statfs(2). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x01021994, "tmpfs"],
  [0x794c7630, "overlayfs"],
  [0x2fc12fc1, "zfs"],
  [0xf2f52010, "f2fs"],
  [0x6969, "nfs"],
]);

export function fileSystemOf(folder: string): string {
  const type = statfsSync(folder).type >>> 0;
  return NAMES.get(type) ?? `0x${type.toString(16)}`;
}

/** Bytes. */
export function freeSpace(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
