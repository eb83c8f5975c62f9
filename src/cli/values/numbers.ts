// Numbers as flags: rates, durations, ratios, counts. Written in decimal digits, handed on in base units. "1e3", "0x10",
// "Infinity" and signs are refused: in a limit they are more often slips than wishes.
import { MAX_FIRST_HAND_HOSTS, MAX_HOSTS_PER_ADDRESS } from "../../core/exchange/limits.ts";
import { MiB } from "../../lib/units.ts";
import { MAX_DURATION_SECONDS } from "../limits.ts";
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

export const seconds: ValueKind<number> = {
  expected: `a number of seconds (0-${MAX_DURATION_SECONDS})`,
  read(text) {
    const value = parseDecimal(text);
    return value === undefined || value > MAX_DURATION_SECONDS ? undefined : value;
  },
};

/** Uploaded bytes to the size of the file. */
export const ratio: ValueKind<number> = {
  expected: "a ratio (1.5 or 150%)",
  read(text) {
    if (!text.endsWith("%")) return parseDecimal(text);
    const percent = parseDecimal(text.slice(0, -1));
    return percent === undefined ? undefined : percent / 100;
  },
};

/** More hosts than are remembered could never be reached. */
export const hostCount: ValueKind<number> = {
  expected: `a number of hosts (1-${MAX_FIRST_HAND_HOSTS})`,
  read: (text) => countUpTo(MAX_FIRST_HAND_HOSTS, text),
};

export const hostsPerAddress: ValueKind<number> = {
  expected: `a number of hosts (1-${MAX_HOSTS_PER_ADDRESS})`,
  read: (text) => countUpTo(MAX_HOSTS_PER_ADDRESS, text),
};

function countUpTo(max: number, text: string): number | undefined {
  const value = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= max ? value : undefined;
}

/** @returns undefined unless `text` is digits with at most one point among them, and a number that is not rounded to 0. */
function parseDecimal(text: string): number | undefined {
  if (!/^(\d+(\.\d*)?|\.\d+)$/.test(text)) return undefined;
  const value = Number(text);
  const isLost = value === 0 && /[1-9]/.test(text);
  return Number.isFinite(value) && !isLost ? value : undefined;
}
