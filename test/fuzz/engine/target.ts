// A fuzz target: a name, a budget, the shape of its inputs, and the checks that each input must pass. The subject is a
// parameter, so that a test can show that the same checks catch a planted bug.

/** Inputs that are a series of parts: the engine also drops, repeats, moves and adds whole parts, with right framing. */
export interface Series {
  split(input: Uint8Array): Uint8Array[];
  join(parts: readonly Uint8Array[]): Uint8Array;
}

/**
 * Throws when the subject is wrong. The result depends on the input alone, so that a saved input repeats a failure.
 * @returns the subject's behaviour in short ("rejected: depth"); an input with a new behaviour is kept and mutated further.
 */
export type Check = (input: Uint8Array) => string | Promise<string>;

export interface Planted {
  /** The bug of the subject. */
  readonly bug: string;
  readonly check: Check;
}

export interface Target {
  readonly name: string;
  /** Mutated inputs in one default run. */
  readonly runs: number;
  /** Bytes of one input. */
  readonly maxLength: number;
  /** Fragments of the format, to insert anywhere. */
  readonly tokens: readonly Uint8Array[];
  /** Limits of the format; each is tried with its neighbours. */
  readonly numbers: readonly number[];
  readonly series: Series | undefined;
  readonly check: Check;
  /** True for an input that the subject accepts: corpus files named `valid-*` must be accepted. */
  readonly accepts: (input: Uint8Array) => boolean;
  readonly planted: readonly Planted[];
}

export interface TargetOptions<Subject> extends Pick<
  Target,
  "name" | "runs" | "maxLength" | "numbers" | "accepts"
> {
  /** Text in Latin-1, or bytes. */
  readonly tokens: readonly (string | Uint8Array)[];
  readonly series?: Series;
  readonly subject: Subject;
  readonly check: (subject: Subject, input: Uint8Array) => string | Promise<string>;
  /** Subjects with one bug each, by the description of the bug. */
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

/** A check failed; any other exception comes from the subject. */
export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";
}

export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new BrokenPromise(what);
}
