// Durations as flags.
import { MAX_DURATION_SECONDS } from "../limits.ts";
import { parseDecimal } from "./decimal.ts";
import type { ValueKind } from "./value-kind.ts";

export const seconds: ValueKind<number> = {
  expected: `a number of seconds (0-${MAX_DURATION_SECONDS})`,
  read(text) {
    const value = parseDecimal(text);
    return value === undefined || value > MAX_DURATION_SECONDS ? undefined : value;
  },
};
