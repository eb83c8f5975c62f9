// How a text from the command line, the environment or the configuration file becomes a value of one kind.

export interface ValueKind<Value> {
  /** What is expected, with article: "a port number (1-65535)". */
  readonly expected: string;
  /** @returns undefined when `text` is none. */
  readonly read: (text: string) => Value | undefined;
  /** The part of a refused `text` that is to blame; the whole when absent. */
  readonly culprit?: (text: string) => string;
}
