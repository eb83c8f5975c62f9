// Standard output and standard error of this process as OutputStreams. Bun says of a pipe neither how much waits in it
// nor, before the next write, that its reader has gone; the callbacks of the writes do.
import { OUTPUT_FLUSH_MS } from "./limits.ts";
import { systemErrorCode } from "../lib/errors.ts";
import type { OutputStream } from "./environment.ts";

/** What is taken of a stream of the process. The sizes are undefined where it is no terminal. */
export interface HostWritable {
  write(text: string, callback: (error?: Error | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** @param onFailure called once, with the system's error code, when a write fails. */
export function hostStream(stream: HostWritable, onFailure: (code: string) => void): OutputStream {
  let backlog = 0;
  let failure: string | undefined;
  let wake: (() => void) | undefined;
  const fail = (code: string) => {
    if (failure !== undefined) return;
    failure = code;
    onFailure(code);
    wake?.();
  };
  stream.on("error", (error) => fail(systemErrorCode(error) ?? "unknown error"));
  return {
    write(text) {
      if (failure !== undefined || text === "") return;
      backlog += text.length;
      stream.write(text, (error) => {
        backlog -= text.length;
        if (error !== null && error !== undefined) fail(systemErrorCode(error) ?? "unknown error");
        if (backlog === 0) wake?.();
      });
    },
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      return sizeOr(80, stream.columns);
    },
    get rows() {
      return sizeOr(24, stream.rows);
    },
    get backlog() {
      return backlog;
    },
    async flush() {
      if (backlog > 0 && failure === undefined) {
        const timer = setTimeout(() => fail("ETIMEDOUT"), OUTPUT_FLUSH_MS);
        await new Promise<void>((resolve) => (wake = resolve));
        clearTimeout(timer);
      }
      return failure;
    },
  };
}

/** A terminal that does not know its size says 0. */
function sizeOr(usual: number, size: number | undefined): number {
  return size === undefined || size <= 0 ? usual : size;
}
