// On or off, as the environment and the configuration file write it.
import type { ValueKind } from "./value-kind.ts";

const words = new Map([
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false],
]);

export const onOff: ValueKind<boolean> = {
  expected: "true or false",
  read: (text) => words.get(text.toLowerCase()),
};
