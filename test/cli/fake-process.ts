// A process in memory: streams whose reader is the test's, signals and errors that the test sends.
import type { HostProcess } from "../../src/cli/host.ts";
import type { HostWritable } from "../../src/cli/host-stream.ts";
import type { ExitCode } from "../../src/lib/errors.ts";

/** The signals that end a session in order, and their exit codes. */
export const signals = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 143],
] as const;

export class FakeWritable implements HostWritable {
  text = "";
  isTTY: boolean | undefined;
  columns: number | undefined;
  rows: number | undefined;
  /** False: what is written waits until the test calls `take`. */
  isTaken = true;
  /** Of every write from here on. */
  failure: Error | undefined;
  readonly #waiting: (() => void)[] = [];
  #onError: ((error: Error) => void) | undefined;

  write(text: string, callback: (error?: Error | null) => void): void {
    this.text += text;
    this.#waiting.push(() => callback(this.failure ?? null));
    if (this.isTaken) this.take();
  }

  on(_event: "error", listener: (error: Error) => void): void {
    this.#onError = listener;
  }

  take(): void {
    for (const taken of this.#waiting.splice(0)) taken();
  }

  fail(code: string): void {
    this.#onError?.(systemError(code));
  }
}

export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

export class FakeProcess implements HostProcess {
  env: Record<string, string | undefined> = { HOME: "/nowhere/home" };
  readonly stdout = new FakeWritable();
  readonly stderr = new FakeWritable();
  readonly exits: ExitCode[] = [];
  cwd = () => "/nowhere";
  readonly #listeners = new Map<string, (reason: unknown) => void>();

  on(event: string, listener: (reason: unknown) => void): void {
    this.#listeners.set(event, listener);
  }

  exit(code: ExitCode): void {
    this.exits.push(code);
  }

  /** A signal by its name, or an error that no code caught. */
  send(event: string, reason?: unknown): void {
    const listener = this.#listeners.get(event);
    if (listener === undefined) throw new Error(`${event} has no listener`);
    listener(reason);
  }
}
