// The file that is distributed, and the check that what arrived is the same.
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { MiB } from "../../src/lib/units.ts";

/** Random, and different in every MiB, so that nothing can be packed and no piece passes for another. */
export function writeContent(path: string, size: number): void {
  const block = new Uint8Array(MiB);
  for (let at = 0; at < block.length; at += 65_536) crypto.getRandomValues(block.subarray(at, at + 65_536));
  const number = new DataView(block.buffer);
  const fd = openSync(path, "wx");
  try {
    for (let at = 0; at < size; at += block.length) {
      number.setFloat64(0, at);
      writeSync(fd, block, 0, Math.min(block.length, size - at));
    }
  } finally {
    closeSync(fd);
  }
}

/** @throws when the files differ. Touches no memory beyond two buffers and the page cache. */
export function assertSameContent(expected: string, path: string): void {
  const files = [openSync(expected, "r"), openSync(path, "r")] as const;
  const buffers = [new Uint8Array(MiB), new Uint8Array(MiB)] as const;
  try {
    for (let at = 0; ;) {
      const counts = [readSync(files[0], buffers[0]), readSync(files[1], buffers[1])] as const;
      const same =
        counts[0] === counts[1] &&
        Buffer.compare(buffers[0].subarray(0, counts[0]), buffers[1].subarray(0, counts[1])) === 0;
      if (!same) throw new Error(`${path} differs from what was served, after ${at} bytes`);
      if (counts[0] === 0) return;
      at += counts[0];
    }
  } finally {
    for (const fd of files) closeSync(fd);
  }
}
