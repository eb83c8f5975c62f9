// The order of play of every benchmark that compares: each round runs all of them once, and each round begins with another
// one, so that all meet the same machine. Knows names and figures, not what is measured.

export interface Contender<Figures> {
  readonly name: string;
  /** Undefined when it is not installed. */
  readonly version: string | undefined;
  /** One run. @throws when it fails: it takes no further part. */
  play(): Promise<Figures>;
}

export interface Series<Figures> {
  readonly name: string;
  readonly version: string | undefined;
  /** One per counted round; undefined for a round in which it did not finish. */
  readonly runs: readonly (Figures | undefined)[];
  /** Why it has no runs, or fewer than others. */
  readonly problem: string | undefined;
}

/** Told of every run; round 0 is the warm-up, which is not counted: it warms what only a first run finds cold. */
export type OnRun<Figures> = (round: number, name: string, outcome: Figures | Error) => void;

/** In the order of `contenders`. */
export async function playRounds<Figures>(
  contenders: readonly Contender<Figures>[],
  rounds: number,
  onRun: OnRun<Figures>,
): Promise<Series<Figures>[]> {
  const entries = contenders.map((contender) => ({
    contender,
    runs: Array.from({ length: rounds }, (): Figures | undefined => undefined),
    problem: contender.version === undefined ? "not installed" : undefined,
  }));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const entry = entries[(turn + round) % entries.length];
      if (entry === undefined || entry.problem !== undefined) continue;
      const { name } = entry.contender;
      try {
        const figures = await entry.contender.play();
        if (round > 0) entry.runs[round - 1] = figures;
        onRun(round, name, figures);
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        entry.problem = error.message;
        onRun(round, name, error);
      }
    }
  }
  return entries.map(({ contender: { name, version }, runs, problem }) => ({ name, version, runs, problem }));
}

export function finishedRuns<Figures>({ runs }: Series<Figures>): Figures[] {
  return runs.filter((run) => run !== undefined);
}

/** Of those that are installed and failed all the same: the benchmark then ends with an error. */
export function failures(all: readonly Series<unknown>[]): Series<unknown>[] {
  return all.filter(({ version, problem }) => version !== undefined && problem !== undefined);
}

/** A line on stderr for every run. */
export function tellRun<Figures>(told: (figures: Figures) => string): OnRun<Figures> {
  return (round, name, outcome) => {
    const count = round === 0 ? "warm-up" : `run ${round}`;
    const what = outcome instanceof Error ? outcome.message : told(outcome);
    console.error(`${count.padEnd(8)} ${name.padEnd(24)} ${what}`);
  };
}
