// The file that is distributed, and the check that what arrived is the same.
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { MiB } from "../../src/lib/units.ts";

/**
 * Random, and different in every MiB, so that nothing can be packed and no piece passes for another.
 * @param writeLength bytes of one write, a divisor or a multiple of a MiB: the page cache of some file systems keeps the
 *   file in blocks of up to this size, which decides what mapping it costs.
 */
export function writeContent(path: string, size: number, writeLength = MiB): void {
  const block = new Uint8Array(MiB);
  const batch = new Uint8Array(Math.max(MiB, writeLength));
  for (let at = 0; at < block.length; at += 65_536) crypto.getRandomValues(block.subarray(at, at + 65_536));
  const number = new DataView(block.buffer);
  const fd = openSync(path, "wx");
  try {
    for (let at = 0; at < size; at += batch.length) {
      for (let part = 0; part < batch.length; part += block.length) {
        number.setFloat64(0, at + part);
        batch.set(block, part);
      }
      const end = Math.min(batch.length, size - at);
      for (let from = 0; from < end; from += writeLength) {
        writeSync(fd, batch, from, Math.min(writeLength, end - from));
      }
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
