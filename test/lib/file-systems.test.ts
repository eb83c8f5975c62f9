import { describe, expect, test } from "bun:test";
import { isNetworkFileSystem, TMPFS } from "../../src/lib/file-systems.ts";

describe("isNetworkFileSystem", () => {
  // The numbers once more, as linux/magic.h and statfs(2) have them.
  test.each([
    ["NFS", 0x6969],
    ["SMB", 0x517b],
    ["CIFS", 0xff534d42],
    ["SMB2", 0xfe534d42],
    ["FUSE", 0x65735546],
    ["9P", 0x01021997],
    ["Ceph", 0x00c36400],
    ["AFS", 0x5346414f],
    ["kAFS", 0x6b414653],
    ["Lustre", 0x0bd00bd0],
    ["GPFS", 0x47504653],
    ["BeeGFS", 0x19830326],
    ["OrangeFS", 0x20030528],
    ["Coda", 0x73757245],
    ["OCFS2", 0x7461636f],
    ["GFS2", 0x01161970],
    ["VirtualBox's shared folders", 0x786f4256],
  ])("is true for %s, as an unsigned and as a signed number", (_, type) => {
    expect([isNetworkFileSystem(type), isNetworkFileSystem(type | 0)]).toEqual([true, true]);
  });

  test.each([
    ["ext4", 0xef53],
    ["XFS", 0x58465342],
    ["Btrfs", 0x9123683e],
    ["ZFS", 0x2fc12fc1],
    ["tmpfs", TMPFS],
    ["overlayfs", 0x794c7630],
  ])("is false for %s", (_, type) => {
    expect([isNetworkFileSystem(type), isNetworkFileSystem(type | 0)]).toEqual([false, false]);
  });
});
