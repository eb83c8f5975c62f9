// The watchdog's thread: when an attempt takes too long, it saves the input, reports it and ends the process.
import { writeSync } from "node:fs";
import { saveInput } from "./saved-input.ts";
import { HEADER_LENGTH, type WatchdogSettings } from "./watchdog.ts";

const LOOK_MS = 100;
const STDERR = 2;

addEventListener("message", ({ data }: MessageEvent<WatchdogSettings>) => {
  const { target, shared, stuckMs } = data;
  const words = new Int32Array(shared, 0, 2);
  let attempt = 0;
  let since = performance.now();
  setInterval(() => {
    const now = performance.now();
    const current = Atomics.load(words, 0);
    if (current === 0 || current !== attempt) {
      attempt = current;
      since = now;
    } else if (now - since > stuckMs) {
      const input = new Uint8Array(shared, HEADER_LENGTH, Atomics.load(words, 1)).slice();
      const path = saveInput(target, input);
      writeSync(STDERR, `${target}: an input of ${input.length} bytes never returns: ${path}\n`);
      process.kill(process.pid, "SIGKILL");
    }
  }, LOOK_MS);
});
