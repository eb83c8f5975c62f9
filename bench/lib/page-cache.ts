// What of a file is in the page cache, and how to get it out of there without privileges.

/** posix_fadvise(POSIX_FADV_DONTNEED) for the whole file, by way of dd. Dirty pages stay: sync the file before. */
export function dropFromCache(path: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["dd", `if=${path}`, "iflag=nocache", "count=0"]);
  if (exitCode !== 0) throw new Error(`dd: ${stderr.toString()}`);
}

/** @throws where fincore (util-linux) is missing. */
export function residentBytes(path: string): number {
  const { exitCode, stdout } = Bun.spawnSync(["fincore", "--bytes", "--noheadings", "--output", "RES", path]);
  const bytes = Number(stdout.toString().trim());
  if (exitCode !== 0 || !Number.isInteger(bytes))
    throw new Error("`fincore` (util-linux) does not work here");
  return bytes;
}
