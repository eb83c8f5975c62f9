// Memory that a virtual machine touches for the first time is slow: the host has to find it first. And what lay free for
// two seconds may be first-touched again, because the kernel reports free blocks to the host (virtio-balloon): a copy into
// fresh large folios was then seen to take ten times as long. So as much as a run needs is taken and given back right
// before its clock starts.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { GiB, MiB } from "../../src/lib/units.ts";
import { availableMemory } from "./machine.ts";

/** A file system in memory that every Linux has. */
export const SHARED_MEMORY = "/dev/shm";

/** Takes `bytes`, or what there is but for one GiB, and gives them back. */
export function warmPages(bytes: number): void {
  const wanted = Math.min(bytes, availableMemory() - GiB);
  const folder = mkdtempSync(join(SHARED_MEMORY, "p2pfile-bench-warm-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    const fd = openSync(join(folder, "pages"), "w");
    const block = new Uint8Array(4 * MiB);
    for (let at = 0; at < wanted; at += block.length) writeSync(fd, block);
    closeSync(fd);
  } finally {
    remove();
    process.removeListener("exit", remove);
  }
}
