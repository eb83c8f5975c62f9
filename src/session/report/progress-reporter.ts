// Emits a snapshot of all torrents several times a second while there is something to show.
import { PROGRESS_MS } from "./limits.ts";
import type { Clock } from "../../lib/clock.ts";
import type { EmitEvent, TransferSnapshot } from "./session-event.ts";

/** @returns undefined while there is nothing to show. */
export type SnapshotSource = (now: number) => TransferSnapshot | undefined;

export class ProgressReporter {
  readonly #emit: EmitEvent;
  readonly #clock: Clock;
  readonly #sources = new Set<SnapshotSource>();
  #stopTimer: (() => void) | undefined;

  constructor(emit: EmitEvent, clock: Clock) {
    this.#emit = emit;
    this.#clock = clock;
  }

  /** @returns a function that takes the source out again. */
  add(source: SnapshotSource): () => void {
    this.#sources.add(source);
    this.#stopTimer ??= this.#clock.every(PROGRESS_MS, () => this.report());
    return () => this.#sources.delete(source);
  }

  report(): void {
    const now = this.#clock.now();
    const transfers = [...this.#sources].flatMap((source) => source(now) ?? []);
    if (transfers.length > 0) this.#emit({ type: "progress", transfers });
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}
