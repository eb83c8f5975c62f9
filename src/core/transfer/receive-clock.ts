// The time in which peers could be heard. It stands still while our disk is behind and no socket is read: what a peer
// sends then arrives later, and that is not the peer's fault. Milliseconds; knows neither sockets nor disks.

export class ReceiveClock {
  #pausedMs = 0;
  #pausedSince: number | undefined;

  /** Nobody is receiveTime to from now on, or everybody again. Saying it twice is saying it once. */
  setPaused(paused: boolean, now: number): void {
    if (paused) {
      this.#pausedSince ??= now;
      return;
    }
    this.#pausedMs += now - (this.#pausedSince ?? now);
    this.#pausedSince = undefined;
  }

  /** `now` without the time in which nobody was receiveTime to. Never goes back, and goes as fast as `now` otherwise. */
  at(now: number): number {
    return (this.#pausedSince ?? now) - this.#pausedMs;
  }
}
