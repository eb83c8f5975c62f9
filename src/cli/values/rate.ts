// Rates as flags: written in MiB/s, handed on in bytes per second.
import { MiB } from "../../lib/units.ts";
import { parseDecimal } from "./decimal.ts";
import type { ValueKind } from "./value-kind.ts";

/** Whole bytes per second; 0 is unlimited, and nothing else becomes 0. */
export const rate: ValueKind<number> = {
  expected: "a rate in MiB/s (a number, 0 or more; 0 is unlimited)",
  read(text) {
    const value = parseDecimal(text);
    if (value === undefined) return undefined;
    const bytes = Math.ceil(value * MiB);
    return Number.isSafeInteger(bytes) ? bytes : undefined;
  },
};
