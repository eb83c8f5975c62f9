// What is fuzzed: a name, a budget, what its inputs look like, and the checks an input must pass. A target is made with
// its subject as a parameter, so that the same checks can be shown to catch a planted bug.

/** Inputs that are a series: the engine also drops, repeats, swaps and borrows whole parts, and mends their framing. */
export interface Series {
  split(input: Uint8Array): Uint8Array[];
  join(parts: readonly Uint8Array[]): Uint8Array;
}

/**
 * Throws when the subject is at fault. What it throws or returns depends on the input alone, so a saved input repeats
 * a failure. @returns what the subject did in short ("rejected: depth"); an input that does something new is kept and
 * mutated further.
 */
export type Check = (input: Uint8Array) => string | Promise<string>;

export interface Planted {
  /** What is wrong with the subject. */
  readonly bug: string;
  readonly check: Check;
}

export interface Target {
  readonly name: string;
  /** Mutated inputs in one default run. */
  readonly runs: number;
  /** Bytes of one input. */
  readonly maxLength: number;
  /** Pieces of the format, to be put in anywhere. */
  readonly tokens: readonly Uint8Array[];
  /** Limits of the format; each is tried with its neighbours. */
  readonly numbers: readonly number[];
  readonly series: Series | undefined;
  readonly check: Check;
  /** True for an input that the subject takes as good: corpus files called `valid-*` must be. */
  readonly accepts: (input: Uint8Array) => boolean;
  readonly planted: readonly Planted[];
}

export interface TargetOptions<Subject> extends Pick<
  Target,
  "name" | "runs" | "maxLength" | "numbers" | "accepts"
> {
  /** As text, of which only the characters up to U+00FF count, or as bytes. */
  readonly tokens: readonly (string | Uint8Array)[];
  readonly series?: Series;
  readonly subject: Subject;
  readonly check: (subject: Subject, input: Uint8Array) => string | Promise<string>;
  /** Subjects with one bug each, by what it is. */
  readonly planted: Readonly<Record<string, Subject>>;
}

export function defineTarget<Subject>(options: TargetOptions<Subject>): Target {
  const { subject, check, planted, tokens, series, ...rest } = options;
  return {
    ...rest,
    series,
    tokens: tokens.map((token) => (typeof token === "string" ? Buffer.from(token, "latin1") : token)),
    check: (input) => check(subject, input),
    planted: Object.entries(planted).map(([bug, faulty]) => ({
      bug,
      check: (input: Uint8Array) => check(faulty, input),
    })),
  };
}

/** The subject broke a promise, as opposed to an exception of its own. */
export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";
}

export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new BrokenPromise(what);
}
