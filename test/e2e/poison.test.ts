// Peers that send wrong bytes to the executable. The fault jobs measure how soon they are found.
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { ScriptedSeed } from "../faults/lib/scripted-seed.ts";
import { sha256Of } from "../helpers/big-file.ts";
import { runP2pfile } from "../helpers/binary.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();
const PIECE_LENGTH = MiB;
const PIECE_COUNT = 24;

function startSeed(content: Buffer, isCulprit: boolean, rate = 0): ScriptedSeed {
  const seed = new ScriptedSeed({
    host: fixture.address(),
    name: "a.bin",
    content,
    pieceLength: PIECE_LENGTH,
    rate,
    spoil: (_piece, _begin, block) => {
      if (isCulprit) block[77] = (block[77] ?? 0) ^ 1;
    },
  });
  fixture.onEnd(() => seed.close());
  return seed;
}

test("W24: when the only peer sends wrong blocks the download waits longer and longer for it, and ends with 7", async () => {
  const culprit = startSeed(randomBytes(PIECE_COUNT * PIECE_LENGTH), true);
  const leech = runP2pfile(fixture, ["download", "--timeout", "3", culprit.magnet], { json: false });
  expect(await leech.waitForExit(20_000)).toBe(7);
  expect(leech.text("stderr")).toMatch(/a\.bin: no peer has good data/);
  expect(culprit.connections).toBeLessThanOrEqual(2);
  expect(culprit.sent.length).toBeLessThanOrEqual((PIECE_COUNT * PIECE_LENGTH) / (16 * 1024));
});

test("W21: of six seeds the one that sends wrong blocks is closed, and the others stay connected", async () => {
  const content = randomBytes(PIECE_COUNT * PIECE_LENGTH);
  const seeds = Array.from({ length: 6 }, (_, i) => startSeed(content, i === 3, 4 * MiB));
  const [first] = seeds;
  if (first === undefined) throw new Error("no seed");
  const others = seeds.slice(1).map(({ address }) => `&x.pe=${address}`);
  const leech = runP2pfile(fixture, ["download", "--debug", first.magnet + others.join("")]);
  expect(await leech.waitForExit(30_000)).toBe(0);
  expect(sha256Of(join(leech.cwd, "a.bin"))).toBe(first.sha256);
  const closed = leech.lines.stderr.filter(({ text }) => text.includes("hashMismatch"));
  expect(closed.length).toBeGreaterThan(0);
  expect(closed.every(({ text }) => text.includes(`${seeds[3]?.address}:`))).toBe(true);
  const wrong = leech.lines.stderr.filter(({ text }) => text.includes("failed its hash"));
  console.info(`${wrong.length} pieces failed before the culprit was found out`);
});
