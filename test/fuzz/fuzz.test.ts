// Every target: its corpus, mutated inputs, and the proof that its checks find planted bugs.
//   P2PFILE_FUZZ_SEED=N   repeats a run
//   P2PFILE_FUZZ_RUNS=N   mutated inputs of each target, in place of its own number
import { describe, expect, test } from "bun:test";
import { MiB } from "../../src/lib/units.ts";
import { corpusOf } from "./engine/corpus.ts";
import { describeFailure, fuzz } from "./engine/fuzz.ts";
import { liveBytes } from "./engine/live-bytes.ts";
import { allTargets } from "./targets/all-targets.ts";

const { P2PFILE_FUZZ_SEED, P2PFILE_FUZZ_RUNS } = process.env;
const seed = Number(P2PFILE_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
/** Planted bugs are searched with the same inputs every time, so that finding them does not depend on chance. */
const PLANTED_SEED = 3;
const STUCK_MS = 30_000;
/** Bytes that a run may leak, for any inputs. */
const MAX_GROWTH = 32 * MiB;
const WARM_UP_SHARE = 0.1;

console.info(`fuzz: P2PFILE_FUZZ_SEED=${seed}`);

describe.each(allTargets.map((target) => [target.name, target] as const))("%s", (_, target) => {
  const runs = Number(P2PFILE_FUZZ_RUNS ?? target.runs);

  test("accepts every valid input of its corpus", () => {
    const refused = corpusOf(target.name, "valid").filter(({ input }) => !target.accepts(input));
    expect(refused.map(({ name }) => name)).toEqual([]);
  });

  test(`passes its checks over its corpus and ${runs} mutated inputs`, async () => {
    // A warm-up, so that compiled code and caches do not count as growth.
    await fuzz(target, { seed: seed + 1, runs: WARM_UP_SHARE * runs });
    const before = liveBytes();
    const { failure } = await fuzz(target, { seed, runs, stuckMs: STUCK_MS });
    if (failure !== undefined) throw new Error(describeFailure(target, failure), { cause: failure.error });
    expect(liveBytes() - before).toBeLessThan(MAX_GROWTH);
  });

  test.each(target.planted.map((planted) => [planted.bug, planted] as const))(
    "finds: %s",
    async (_, { check }) => {
      // Without the hostile inputs of the corpus: the engine has to make its own.
      const { failure } = await fuzz(target, { seed: PLANTED_SEED, runs: target.runs, check, from: "valid" });
      expect(failure).toBeDefined();
    },
  );
});
