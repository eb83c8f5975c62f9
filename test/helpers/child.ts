// A process under test: its output as lines with times, waits for a line or for its end, and kills by process id. Does not know
// the program.
import { constants } from "node:os";

export type StreamName = "stdout" | "stderr";

export interface OutputLine {
  readonly text: string;
  /** performance.now() when the line was complete. */
  readonly at: number;
}

export interface ChildOptions {
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Running processes: killed when the test process ends for any reason. */
const running = new Set<Child>();
process.on("exit", () => {
  for (const child of running) child.killGroup();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

export class Child {
  readonly command: readonly string[];
  readonly pid: number;
  readonly lines: Record<StreamName, OutputLine[]> = { stdout: [], stderr: [] };
  /** The exit code, or 128 + the signal's number as a shell would say it; resolves after both streams have ended. */
  readonly exited: Promise<number>;
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #wakers = new Set<() => void>();
  #hasExited = false;

  constructor(command: readonly string[], options: ChildOptions) {
    this.command = command;
    this.#process = Bun.spawn([...command], {
      cwd: options.cwd,
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", ...options.env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      // A process group of its own, so that a shell ends together with what it started.
      detached: true,
    });
    this.pid = this.#process.pid;
    running.add(this);
    const read = [this.#read("stdout", this.#process.stdout), this.#read("stderr", this.#process.stderr)];
    this.exited = Promise.all([this.#process.exited, ...read]).then(() => {
      running.delete(this);
      this.#hasExited = true;
      this.#wake();
      const signal = this.#process.signalCode;
      return signal === null
        ? (this.#process.exitCode ?? -1)
        : 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
    });
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** True when a signal ended the process before it could end itself. */
  get wasKilled(): boolean {
    return this.#process.signalCode !== null;
  }

  text(stream: StreamName): string {
    return this.lines[stream].map((line) => line.text).join("\n");
  }

  /** The first line, past or future, that `matches`. @throws when the process ends or the time is over before. */
  waitForLine(stream: StreamName, matches: RegExp, timeoutMs = 15_000): Promise<OutputLine> {
    return this.waitFor(
      `a line on ${stream} like ${matches}`,
      () => this.lines[stream].find((line) => matches.test(line.text)),
      timeoutMs,
    );
  }

  /** Calls `find` at every new line until it returns a value. @throws as waitForLine. */
  async waitFor<T>(what: string, find: () => T | undefined, timeoutMs: number): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = deadline - performance.now();
      if (this.#hasExited) throw new Error(`${this.#describe()} ended without ${what}`);
      if (left <= 0) throw new Error(`${this.#describe()} did not give ${what} within ${timeoutMs} ms`);
      await this.#nextChange(left);
    }
  }

  /** @throws when the process still runs after `timeoutMs`. */
  async waitForExit(timeoutMs = 30_000): Promise<number> {
    const timeout = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => timeout.resolve(undefined), timeoutMs);
    const code = await Promise.race([this.exited, timeout.promise]);
    clearTimeout(timer);
    if (code === undefined) throw new Error(`${this.#describe()} still ran after ${timeoutMs} ms`);
    return code;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#hasExited) this.#process.kill(signal);
  }

  /** SIGKILL for the process and everything it started. */
  killGroup(): void {
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }

  /** Ends the process and everything it started at once, and waits until its output has ended. */
  async end(): Promise<void> {
    if (!this.#hasExited) this.killGroup();
    await this.exited;
  }

  async #read(name: StreamName, stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      rest += decoder.decode(chunk, { stream: true });
      const parts = rest.split(/\r?\n|\r/);
      rest = parts.pop() ?? "";
      const at = performance.now();
      for (const text of parts) this.lines[name].push({ text, at });
      this.#wake();
    }
    if (rest !== "") this.lines[name].push({ text: rest, at: performance.now() });
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
    this.#wakers.clear();
  }

  #nextChange(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(timeoutMs, 1000));
      this.#wakers.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #describe(): string {
    const tail = (stream: StreamName) =>
      this.lines[stream].slice(-15).map((line) => `    ${stream}: ${line.text.slice(0, 400)}`);
    return [
      `\`${this.command.join(" ")}\` (pid ${this.pid})`,
      ...tail("stdout"),
      ...tail("stderr"),
      "  ",
    ].join("\n");
  }
}
