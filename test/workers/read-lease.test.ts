import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReadLease } from "../../workers/read-lease.ts";

const folder = mkdtempSync(join(tmpdir(), "p2pfile-lease-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string): { readonly path: string; readonly fd: number } {
  const path = join(folder, name);
  writeFileSync(path, "x".repeat(1000));
  return { path, fd: openSync(path, "r") };
}

describe("ReadLease", () => {
  test("makes a writer wait, notices it, and lets it go on when released", async () => {
    const { path, fd } = fileOf("waits");
    const lease = ReadLease.take(fd);
    expect(lease?.held).toBe(true);
    const writer = truncate(path, 10);
    const isHeld = () => lease?.held === true;
    while (isHeld()) await Bun.sleep(1);
    expect(statSync(path).size).toBe(1000);
    lease?.release();
    await writer;
    expect(statSync(path).size).toBe(10);
    closeSync(fd);
  });

  test("is held by several readers at once", () => {
    const { path, fd } = fileOf("several");
    const other = openSync(path, "r");
    const leases = [ReadLease.take(fd), ReadLease.take(other)];
    expect(leases.map((lease) => lease?.held)).toEqual([true, true]);
    for (const lease of leases) lease?.release();
    closeSync(other);
    closeSync(fd);
  });

  test("is not granted while the file is open for writing", () => {
    const { path, fd } = fileOf("written");
    const writer = openSync(path, "r+");
    expect(ReadLease.take(fd)).toBeUndefined();
    closeSync(writer);
    const lease = ReadLease.take(fd);
    expect(lease?.held).toBe(true);
    lease?.release();
    expect(lease?.held).toBe(false);
    closeSync(fd);
  });
});
