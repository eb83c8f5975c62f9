import { afterAll, describe, expect, spyOn, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HashPool } from "../../../src/hashing/hash-pool.ts";
import { openDownload } from "../fixtures/open-download.ts";

const FIXTURE = join(import.meta.dir, "../fixtures/without-libc.ts");
const root = mkdtempSync(join(tmpdir(), "p2pfile-local-file-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const folder = () => mkdtempSync(join(root, "case-"));

describe("openLocalFile", () => {
  test("a download on an ordinary machine begins without a warning", async () => {
    expect(await openDownload(folder())).toEqual([]);
  });

  test("a hash worker is started with the file, not with its first piece", async () => {
    const prepare = spyOn(HashPool.prototype, "prepare");
    await openDownload(folder());
    expect(prepare).toHaveBeenCalledTimes(1);
    prepare.mockRestore();
  });

  test("where the C library cannot be called one line says what is missing, and the download begins all the same", () => {
    const directory = folder();
    const env = { ...process.env, P2PFILE_TEST_DIRECTORY: directory };
    const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, "test", FIXTURE], { env });
    expect([exitCode, exitCode === 0 ? "" : stderr.toString()]).toEqual([0, ""]);
    const line = stdout
      .toString()
      .split("\n")
      .find((text) => text.startsWith("["));
    const warnings: string[] = JSON.parse(line ?? "[]");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toStartWith(`${directory}/model.bin: `);
    expect(warnings[0]).toMatch(/not locked.*space not reserved.*;.*do not start it twice/);
    expect(warnings[0]).not.toContain("\n");
    expect(readdirSync(directory).some((name) => name.endsWith(".p2pfile-part"))).toBe(true);
  });

  test("C9, P1: pieces that no record speaks of are kept when they stand in the part file", async () => {
    const directory = folder();
    await openDownload(directory);
    const part = readdirSync(directory).find((name) => name.endsWith(".p2pfile-part")) ?? "";
    const path = join(directory, part);
    writeFileSync(path, new Uint8Array(statSync(path).size).fill(1), { flag: "r+" });
    const right: number[] = [];
    await openDownload(directory, async (file) => {
      expect([file.have.isEmpty, file.unchecked.isFull]).toEqual([true, true]);
      await file.check((piece, isRight) => isRight && right.push(piece));
    });
    expect(right).toEqual([0, 1, 2]);
  });
});
