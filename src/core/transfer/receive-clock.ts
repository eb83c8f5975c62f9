// The time in which peers could be heard. It stands still while our disk is behind and no socket is read: what a peer
// sends then arrives later, and that is not the peer's fault. Milliseconds; knows neither sockets nor disks.

export class ListeningClock {
  #deafMs = 0;
  #deafSince: number | undefined;

  /** Nobody is listened to from now on, or everybody again. Saying it twice is saying it once. */
  setPaused(paused: boolean, now: number): void {
    if (paused) {
      this.#deafSince ??= now;
      return;
    }
    this.#deafMs += now - (this.#deafSince ?? now);
    this.#deafSince = undefined;
  }

  /** `now` without the time in which nobody was listened to. Never goes back, and goes as fast as `now` otherwise. */
  at(now: number): number {
    return (this.#deafSince ?? now) - this.#deafMs;
  }
}
