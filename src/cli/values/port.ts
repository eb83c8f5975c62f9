// Ports and ranges of ports as flags.
import { parsePort } from "../../core/format/peer-address.ts";
import type { ValueKind } from "./value-kind.ts";

export const port: ValueKind<number> = { expected: "a port number (1-65535)", read: parsePort };

export interface PortRange {
  readonly first: number;
  /** Inclusive, not below `first`. */
  readonly last: number;
}

export const portRange: ValueKind<PortRange> = {
  expected: "a range of ports (42070-42099)",
  read(text) {
    const [first, last, ...rest] = text.split("-").map((part) => parsePort(part.trim()));
    if (first === undefined || last === undefined || rest.length > 0 || first > last) return undefined;
    return { first, last };
  },
};
