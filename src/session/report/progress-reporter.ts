// Emits a snapshot of all torrents several times a second while there is something to show.
import { PROGRESS_MS } from "./limits.ts";
import { monotonicMs } from "../clock.ts";
import type { EmitEvent, TransferSnapshot } from "./session-event.ts";

/** @returns undefined while there is nothing to say. */
export type SnapshotSource = (now: number) => TransferSnapshot | undefined;

export class ProgressReporter {
  readonly #emit: EmitEvent;
  readonly #sources = new Set<SnapshotSource>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(emit: EmitEvent) {
    this.#emit = emit;
  }

  /** @returns a function that takes the source out again. */
  add(source: SnapshotSource): () => void {
    this.#sources.add(source);
    this.#timer ??= setInterval(() => this.report(), PROGRESS_MS);
    return () => this.#sources.delete(source);
  }

  report(): void {
    const now = monotonicMs();
    const transfers = [...this.#sources].flatMap((source) => source(now) ?? []);
    if (transfers.length > 0) this.#emit({ type: "progress", transfers });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
