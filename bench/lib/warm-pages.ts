// Memory that the kernel hands out for the first time is slow on virtual machines: the host has to find it first. So
// as much as a run will need is taken and given back before the clock starts.
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
