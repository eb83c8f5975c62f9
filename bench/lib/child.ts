// One program that takes part in a benchmark: its output, its end, and what it cost by the kernel's books.
import { readFileSync } from "node:fs";
import { type Cpu, type Memory, MemoryMeter } from "./process-meter.ts";

export interface ChildOptions {
  readonly cwd: string;
  /** Takes its stderr. */
  readonly log: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its memory is looked at from its start to its end. @default false */
  readonly metered?: boolean;
}

export class Child {
  readonly pid: number;
  readonly command: readonly string[];
  readonly #process: Bun.Subprocess<"ignore", "pipe", Bun.BunFile>;
  readonly #log: string;
  readonly #outputEnded: Promise<void>;
  readonly #meter: MemoryMeter | undefined;
  #output = "";
  #wake: (() => void) | undefined;

  /** The environment is PATH, a home of its own, and `env`: no proxy and no configuration of the user gets in. */
  constructor(command: readonly string[], { cwd, log, env, metered = false }: ChildOptions) {
    this.command = command;
    this.#log = log;
    this.#process = Bun.spawn([...command], {
      cwd,
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: cwd, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: Bun.file(log),
    });
    this.pid = this.#process.pid;
    this.#outputEnded = this.#read();
    this.#meter = metered ? new MemoryMeter(this.pid) : undefined;
    void this.#process.exited.then(() => this.#meter?.stop());
  }

  /** Everything it has printed to stdout so far. */
  get output(): string {
    return this.#output;
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** @returns the first group of the first match in stdout. @throws when it ends or `timeoutMs` is over before. */
  async waitForOutput(pattern: RegExp, timeoutMs: number): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = pattern.exec(this.#output)?.[1];
      if (found !== undefined) return found;
      if (this.hasExited) throw new Error(this.#complain("ended without an answer"));
      if (performance.now() > deadline)
        throw new Error(this.#complain(`gave no answer within ${timeoutMs} ms`));
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), Bun.sleep(50)]);
    }
  }

  /** Resolves at its end, with success; kills it when it takes longer. @throws when it failed or was killed. */
  async waitForSuccess(timeoutMs: number): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.kill();
    }, timeoutMs);
    const code = await this.#process.exited;
    clearTimeout(timer);
    if (late) throw new Error(this.#complain(`still ran after ${timeoutMs} ms and was killed`));
    if (code !== 0) throw new Error(this.#complain(`ended with ${code}`));
  }

  /** All its output is in `output` after this. The process must have been told to end. */
  async ended(): Promise<void> {
    await Promise.all([this.#process.exited, this.#outputEnded]);
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasExited) this.#process.kill(signal);
  }

  kill(): void {
    this.signal("SIGKILL");
  }

  /** Of the whole life of a process that has ended. */
  get totalCpu(): Cpu {
    const used = this.#process.resourceUsage()?.cpuTime;
    if (used === undefined) throw new Error(this.#complain("has not ended"));
    return { user: Number(used.user) / 1e6, system: Number(used.system) / 1e6 };
  }

  /** The most it has had so far. @throws when it was not spawned to be metered. */
  get peakMemory(): Memory {
    if (this.#meter === undefined) throw new RangeError(`\`${this.command.join(" ")}\` is not metered`);
    return this.#meter.peak();
  }

  #complain(what: string): string {
    const tail = readFileSync(this.#log, "utf8").trim().split("\n").slice(-5).join("\n");
    return `\`${this.command.join(" ")}\` ${what}\n${tail}`;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#process.stdout) {
      this.#output += decoder.decode(chunk, { stream: true });
      this.#wake?.();
    }
  }
}
