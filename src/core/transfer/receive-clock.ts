// A clock for timeouts of peers that stands still while receiving is paused: when our disk is behind no socket is read, and
// a peer must not be snubbed for blocks that wait in the socket. Milliseconds; knows neither sockets nor disks.

export class ReceiveClock {
  #pausedMs = 0;
  #pausedSince: number | undefined;

  /** Stops the clock, or starts it again. A repeated call changes nothing. */
  setPaused(paused: boolean, now: number): void {
    if (paused) {
      this.#pausedSince ??= now;
      return;
    }
    this.#pausedMs += now - (this.#pausedSince ?? now);
    this.#pausedSince = undefined;
  }

  /** `now` minus the time in pauses, in milliseconds. Never goes back. */
  at(now: number): number {
    return (this.#pausedSince ?? now) - this.#pausedMs;
  }
}
