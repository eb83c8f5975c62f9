// Numbers of hosts, as flags.
import { MAX_KNOWN_HOSTS } from "../../core/exchange/limits.ts";
import type { ValueKind } from "./value-kind.ts";

/** More than are remembered could never be reached. */
export const hostCount: ValueKind<number> = {
  expected: `a number of hosts (1-${MAX_KNOWN_HOSTS - 1})`,
  read(text) {
    const value = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 0;
    return value >= 1 && value < MAX_KNOWN_HOSTS ? value : undefined;
  },
};
