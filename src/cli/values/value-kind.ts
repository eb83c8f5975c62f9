// How a text from the command line, the environment or the configuration file becomes a value of one kind, and the
// kinds that are plain texts or words.

export interface ValueKind<Value> {
  /** What is expected, with article: "a port number (1-65535)". */
  readonly expected: string;
  /** @returns undefined when `text` is none. */
  readonly read: (text: string) => Value | undefined;
  /** The part of a refused `text` that is wrong; the whole when absent. */
  readonly culprit?: (text: string) => string;
}

export const directory: ValueKind<string> = { expected: "a directory", read: nonEmpty };

export const path: ValueKind<string> = { expected: "a path", read: nonEmpty };

/** Parsed by the session, which knows magnets. */
export const magnet: ValueKind<string> = { expected: "a magnet URI", read: nonEmpty };

function nonEmpty(text: string): string | undefined {
  return text === "" ? undefined : text;
}

const switchWords = new Map([
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false],
]);

/** On or off, as the environment and the configuration file write it. */
export const onOff: ValueKind<boolean> = {
  expected: "true or false",
  read: (text) => switchWords.get(text.toLowerCase()),
};
