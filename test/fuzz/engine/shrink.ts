// Shrinks a failing input while it fails in the same way, so that it is easy to read.
import { concatBytes } from "../../../src/lib/bytes.ts";
import type { Check } from "./target.ts";

const MAX_TRIES = 400;
const MAX_MS = 1_500;

export async function shrink(input: Uint8Array, error: unknown, check: Check): Promise<Uint8Array> {
  const wanted = kindOf(error);
  const started = performance.now();
  let tries = 0;
  let smallest = input;
  for (let width = Math.ceil(input.length / 2); width >= 1; width = Math.floor(width / 2)) {
    for (let at = 0; at < smallest.length;) {
      if (++tries > MAX_TRIES || performance.now() - started > MAX_MS) return smallest;
      const candidate = concatBytes([smallest.subarray(0, at), smallest.subarray(at + width)]);
      if ((await kindOfFailure(check, candidate)) === wanted) smallest = candidate;
      else at += width;
    }
  }
  return smallest;
}

async function kindOfFailure(check: Check, input: Uint8Array): Promise<string | undefined> {
  try {
    await check(input);
    return undefined;
  } catch (error) {
    return kindOf(error);
  }
}

/** Numbers and quoted texts are left out: they differ from input to input. */
function kindOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : Bun.inspect(error);
  return text.replaceAll(/".*"|'.*'/gs, "").replaceAll(/\d+/g, "0");
}
