// The ratio of uploaded bytes to the size of the file, as a flag.
import { parseDecimal } from "./decimal.ts";
import type { ValueKind } from "./value-kind.ts";

export const ratio: ValueKind<number> = {
  expected: "a ratio (1.5 or 150%)",
  read(text) {
    if (!text.endsWith("%")) return parseDecimal(text);
    const percent = parseDecimal(text.slice(0, -1));
    return percent === undefined ? undefined : percent / 100;
  },
};
