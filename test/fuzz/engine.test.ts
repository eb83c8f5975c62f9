// The fuzz engine: its inputs, its repeatability, and that it finds failures and hangs.
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { corpusOf } from "./engine/corpus.ts";
import { describeFailure, fuzz } from "./engine/fuzz.ts";
import { mutate } from "./engine/mutate.ts";
import { shrink } from "./engine/shrink.ts";
import { allTargets } from "./targets/all-targets.ts";
import { bencodeTarget } from "./targets/bencode.ts";
import { peerWireTarget } from "./targets/peer-wire.ts";

const ROOT = join(import.meta.dir, "../..");

async function inputsOf(seed: number, runs: number): Promise<string[]> {
  const inputs: string[] = [];
  const check = (input: Uint8Array) => {
    inputs.push(input.toHex());
    return String(input.length % 7);
  };
  await fuzz(bencodeTarget, { seed, runs, check });
  return inputs;
}

describe("the engine", () => {
  test("makes the same inputs from the same seed, other inputs from another seed", async () => {
    const [first, again, other] = [await inputsOf(5, 300), await inputsOf(5, 300), await inputsOf(6, 300)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test("makes mostly new inputs, none longer than the target's", () => {
    for (const target of allTargets) {
      const corpus = corpusOf(target.name, "all").map(({ input }) => input);
      const random = seededRandom(8);
      const inputs = Array.from({ length: 500 }, () => mutate(random, { target, corpus, kept: [] }));
      expect(Math.max(...inputs.map((input) => input.length))).toBeLessThanOrEqual(target.maxLength);
      const different = new Set(inputs.map((input) => Bun.hash(input)));
      expect([target.name, different.size > 250]).toEqual([target.name, true]);
    }
  });

  test("keeps the framing of a series in most inputs", () => {
    const { series } = peerWireTarget;
    for (const { input } of corpusOf(peerWireTarget.name, "valid")) {
      expect(series?.join(series.split(input))).toEqual(input);
    }
  });

  test("finds a failure again in the input it has saved", async () => {
    const check = (input: Uint8Array) => {
      if (Buffer.from(input).includes("le")) throw new RangeError("planted");
      return "";
    };
    const { failure } = await fuzz(bencodeTarget, { seed: 1, runs: 1000, check, from: "valid" });
    expect(Buffer.from(failure?.input ?? []).toString("latin1")).toBe("le");
    const text = failure === undefined ? "" : describeFailure(bencodeTarget, failure);
    const path = /^input of 2 bytes: (.+)$/m.exec(text)?.[1] ?? "";
    expect(readFileSync(path, "latin1")).toBe("le");
    expect(text).toContain("P2PFILE_FUZZ_SEED=1");
    rmSync(path);
  });

  test("shrinks an input only while it fails in the same way", async () => {
    const check = (input: Uint8Array) => {
      if (input.includes(1) && input.includes(2)) throw new RangeError("both");
      if (input.includes(1)) throw new TypeError("one");
      return "";
    };
    const small = await shrink(Uint8Array.of(9, 9, 1, 9, 9, 9, 2, 9, 9), new RangeError("both"), check);
    expect(small).toEqual(Uint8Array.of(1, 2));
  });

  test("reports an input that always takes too long as a hang", async () => {
    const check = () => {
      Bun.sleepSync(11);
      return "";
    };
    const { failure } = await fuzz(bencodeTarget, { seed: 1, runs: 0, check, hangMs: 10 });
    expect(String(failure?.error)).toStartWith("Hang: took");
  });

  test("saves an input that never returns, and ends the process", async () => {
    const folder = mkdtempSync(join(tmpdir(), "p2pfile-fuzz-test-"));
    const input = join(folder, "endless");
    writeFileSync(input, "l-3:");
    // Without the scanner in front of it the package's decoder does not return on these four bytes.
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "fixtures/endless.ts"), input], {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: folder },
      stdout: "ignore",
      stderr: "pipe",
    });
    const [error] = await Promise.all([child.stderr.text(), child.exited]);
    expect(child.signalCode).toBe("SIGKILL");
    const path = /^endless: an input of 4 bytes never returns: (.+)$/m.exec(error)?.[1] ?? "";
    expect(readFileSync(path, "latin1")).toBe("l-3:");
    rmSync(folder, { recursive: true });
  });

  test("every corpus is small", () => {
    const sizes = allTargets.flatMap(({ name }) => corpusOf(name, "all").map(({ input }) => input.length));
    expect(Math.max(...sizes)).toBeLessThan(128 * 1024);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1 * MiB);
  });
});
