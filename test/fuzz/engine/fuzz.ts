// The fuzz loop: every input of the corpus, then mutated inputs; the first failing input is shrunk and reported. Knows no
// format; the same seed gives the same inputs.
import { seededRandom } from "../../helpers/seeded-random.ts";
import { corpusOf } from "./corpus.ts";
import { mutate } from "./mutate.ts";
import { saveInput } from "./saved-input.ts";
import { shrink } from "./shrink.ts";
import type { Check, Target } from "./target.ts";
import { Watchdog } from "./watchdog.ts";

/** An input that takes longer in each of three tries counts as a hang. Far above normal times, for slow machines. */
export const HANG_MS = 1_000;
/** Short inputs with a new behaviour are kept and mutated further, up to this many. */
const MAX_KEPT = 200;
const MAX_KEPT_LENGTH = 4 * 1024;
/** After this many inputs the loop yields to timers and finalizers. */
const PAUSE_EVERY = 128;

export interface FuzzOptions {
  readonly seed: number;
  /** Mutated inputs at most. */
  readonly runs: number;
  /** Seconds at most. Default: no limit. */
  readonly seconds?: number;
  /** Default: the target's own, with the real subject. */
  readonly check?: Check;
  /** The inputs of the corpus to start with. Default: all. */
  readonly from?: "all" | "valid";
  /** Default: HANG_MS. */
  readonly hangMs?: number;
  /** An input that does not return in this time ends the process; 0 disables this. */
  readonly stuckMs?: number;
}

export interface Failure {
  readonly error: unknown;
  /** The shrunk input. */
  readonly input: Uint8Array;
  /** The file in the corpus, or the number of the mutated input. */
  readonly origin: string;
  readonly seed: number;
}

export interface FuzzReport {
  /** Inputs in all, the corpus included. */
  readonly runs: number;
  readonly elapsedMs: number;
  /** Number of different behaviours. */
  readonly behaviours: number;
  /** The quickest try of the slowest input. */
  readonly slowestMs: number;
  readonly failure: Failure | undefined;
}

class Hang extends Error {
  override readonly name = "Hang";
}

export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzReport> {
  const {
    seed,
    seconds = Infinity,
    check = target.check,
    from = "all",
    hangMs = HANG_MS,
    stuckMs = 0,
  } = options;
  const started = performance.now();
  const random = seededRandom(seed);
  const corpus = corpusOf(target.name, from);
  const kept: Uint8Array[] = [];
  const material = { target, corpus: corpus.map(({ input }) => input), kept };
  const behaviours = new Set<string>();
  const watchdog = stuckMs > 0 ? new Watchdog(target.name, target.maxLength, stuckMs) : undefined;
  let runs = 0;
  let slowestMs = 0;

  const attempt = async (input: Uint8Array): Promise<string> => {
    watchdog?.begin(input);
    try {
      const { behaviour, elapsedMs } = await timed(check, input, hangMs);
      slowestMs = Math.max(slowestMs, elapsedMs);
      return behaviour;
    } finally {
      watchdog?.end();
    }
  };
  const report = (failure?: Failure): FuzzReport => ({
    runs,
    elapsedMs: performance.now() - started,
    behaviours: behaviours.size,
    slowestMs,
    failure,
  });
  const fail = async (error: unknown, input: Uint8Array, origin: string): Promise<FuzzReport> => {
    const small = error instanceof Hang ? input : await shrink(input, error, check);
    return report({ error, input: small, origin, seed });
  };

  try {
    for (const { name, input } of corpus) {
      runs++;
      try {
        behaviours.add(await attempt(input));
      } catch (error) {
        return await fail(error, input, `corpus/${target.name}/${name}`);
      }
    }
    for (let run = 1; run <= options.runs; run++) {
      if (performance.now() - started > seconds * 1000) break;
      const input = mutate(random, material);
      runs++;
      try {
        const behaviour = await attempt(input);
        if (!behaviours.has(behaviour) && input.length <= MAX_KEPT_LENGTH) {
          behaviours.add(behaviour);
          if (kept.length < MAX_KEPT) kept.push(input);
          else kept[behaviours.size % MAX_KEPT] = input;
        }
      } catch (error) {
        return await fail(error, input, `mutated input ${run}`);
      }
      if (run % PAUSE_EVERY === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return report();
  } finally {
    watchdog?.close();
  }
}

/** Saves the input. @returns the failure and how to repeat it, as text for a failed test. */
export function describeFailure(target: Target, failure: Failure): string {
  const { error, input, origin, seed } = failure;
  const path = saveInput(target.name, input);
  const reason = error instanceof Error ? (error.stack ?? String(error)) : Bun.inspect(error);
  return [
    `${target.name}: ${origin} of seed ${seed} fails: ${reason}`,
    `input of ${input.length} bytes: ${path}`,
    `repeat it: npm run fuzz -- ${target.name} --input ${path}`,
    `repeat the run: P2PFILE_FUZZ_SEED=${seed} npm run fuzz -- ${target.name}`,
  ].join("\n");
}

interface Timed {
  readonly behaviour: string;
  readonly elapsedMs: number;
}

/** Up to three tries, because a pause of the machine is no hang. */
async function timed(check: Check, input: Uint8Array, hangMs: number): Promise<Timed> {
  let elapsedMs = Infinity;
  let behaviour = "";
  for (let tries = 0; tries < 3 && elapsedMs > hangMs; tries++) {
    const started = performance.now();
    behaviour = await check(input);
    elapsedMs = Math.min(elapsedMs, performance.now() - started);
  }
  if (elapsedMs > hangMs) throw new Hang(`took ${Math.round(elapsedMs)} ms`);
  return { behaviour, elapsedMs };
}
