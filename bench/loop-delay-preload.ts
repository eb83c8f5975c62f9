// Runs inside p2pfile, before its own first line (`bun --preload`): measures how late the event loop of the main thread
// is and writes what it saw to the file named by P2PFILE_BENCH_LOOP_DELAY when the process exits. The program knows
// nothing of it. Three numbers per sample: Date.now() when the timer fired, the milliseconds it fired late, and the
// milliseconds since the last sample that the main thread could run and had no core.
import { openSync, readSync, writeFileSync } from "node:fs";
import { SAMPLE_FIELDS, SAMPLE_INTERVAL_MS } from "./loop-delay-samples.ts";

/** Half an hour. Memory that is never written is never taken. */
const MAX_SAMPLES = 900_000;

const path = process.env["P2PFILE_BENCH_LOOP_DELAY"];
// A worker has a loop of its own, which hashing is meant to block.
if (path !== undefined && Bun.isMainThread) sample(path);

function sample(path: string): void {
  const samples = new Float64Array(SAMPLE_FIELDS * MAX_SAMPLES);
  const waited = waitMeter();
  let count = 0;
  let due = 0;
  let waitedBefore = waited();
  const fired = () => {
    const late = performance.now() - due;
    const waitedNow = waited();
    const at = SAMPLE_FIELDS * count++;
    samples[at] = Date.now();
    samples[at + 1] = Math.max(0, late);
    samples[at + 2] = waitedNow - waitedBefore;
    waitedBefore = waitedNow;
    arm();
  };
  const arm = () => {
    if (count === MAX_SAMPLES) return;
    due = performance.now() + SAMPLE_INTERVAL_MS;
    setTimeout(fired, SAMPLE_INTERVAL_MS).unref();
  };
  arm();
  // The program ends by process.exit, after a signal as well: these handlers run, in this thread, at the very end.
  process.on("exit", () => {
    writeFileSync(path, new Uint8Array(samples.buffer, 0, 8 * SAMPLE_FIELDS * count));
  });
}

/** Milliseconds that the main thread has waited for a core so far: /proc/PID/schedstat has "run wait slices" in ns. */
function waitMeter(): () => number {
  const text = new Uint8Array(64);
  const fd = openSync("/proc/self/schedstat", "r");
  return () => {
    const length = readSync(fd, text, 0, text.length, 0);
    let at = text.indexOf(32) + 1;
    let nanoseconds = 0;
    for (; at < length && text[at] !== 32; at++) nanoseconds = nanoseconds * 10 + ((text[at] ?? 48) - 48);
    return nanoseconds / 1e6;
  };
}
