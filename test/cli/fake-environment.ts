// An Environment in memory: captured streams, a clock that stands still until it is moved, sessions given by the test.
import type { Command } from "../../src/cli/command.ts";
import { allCommands } from "../../src/cli/commands/all-commands.ts";
import type { Environment, OutputStream, Sessions } from "../../src/cli/environment.ts";
import { run } from "../../src/cli/run.ts";
import type { ExitCode } from "../../src/lib/errors.ts";
import type { DownloadOptions, ServeOptions } from "../../src/session/options.ts";

export class FakeStream implements OutputStream {
  text = "";
  isTerminal = false;
  columns = 80;
  rows = 24;
  backlog = 0;
  failure: string | undefined;

  write(text: string): void {
    this.text += text;
  }

  flush(): Promise<string | undefined> {
    return Promise.resolve(this.failure);
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

export class FakeEnvironment implements Environment {
  workingDirectory = "/nowhere";
  home: string | undefined = "/nowhere/home";
  variables: Record<string, string | undefined> = {};
  readonly stdout = new FakeStream();
  readonly stderr = new FakeStream();
  readonly stop = new AbortController();
  readonly signal = this.stop.signal;
  time = Date.UTC(2030, 0, 2, 3, 4, 5);
  readonly now = () => this.time;
  readonly #timers = new Set<{ every: number; next: number; callback: () => void }>();
  sessions: Sessions = {
    serve: () => Promise.reject(new Error("no serve session was expected")),
    download: () => Promise.reject(new Error("no download session was expected")),
  };

  readonly every = (milliseconds: number, callback: () => void) => {
    const timer = { every: milliseconds, next: this.time + milliseconds, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Moves the clock and calls the timers that are due on the way. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.next <= end).sort((a, b) => a.next - b.next)[0];
      if (due === undefined) break;
      this.time = due.next;
      due.next += due.every;
      due.callback();
    }
    this.time = end;
  }
}

/** Runs a whole command line whose sessions only note what they were asked for. */
export async function runCaptured(
  argv: readonly string[],
  changes: Partial<FakeEnvironment> = {},
  commands: readonly Command[] = allCommands,
) {
  const environment = Object.assign(new FakeEnvironment(), changes);
  let served: ServeOptions | undefined;
  let downloaded: DownloadOptions | undefined;
  environment.sessions = changes.sessions ?? {
    serve: (options) => ((served = options), Promise.resolve(0)),
    download: (options) => ((downloaded = options), Promise.resolve(0)),
  };
  const exitCode: ExitCode = await run(argv, environment, commands);
  return {
    exitCode,
    stdout: environment.stdout.text,
    stderr: environment.stderr.text,
    served,
    downloaded,
    environment,
  };
}
