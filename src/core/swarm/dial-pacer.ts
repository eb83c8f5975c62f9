// How fast addresses are dialled, by the clock and for all torrents of the process together: what others name is slow in all and per
// host, so that no list of addresses aims a fleet at a third party; what the user names is bounded per host alone.
import {
  HEARSAY_DIAL_WINDOW_MS,
  HEARSAY_DIALS_PER_HOST,
  HEARSAY_HOST_WINDOW_MS,
  HOST_DIAL_WINDOW_MS,
  MAX_DIALS_PER_HOST,
  MAX_HEARSAY_DIALS,
} from "./limits.ts";

/** What a torrent asks before it dials. */
export interface DialGate {
  /** Whether a dial to this host may begin now. */
  mayDial(host: string, isPinned: boolean): boolean;
  /** The same, and the dial counts as begun. */
  take(host: string, isPinned: boolean): boolean;
}

/** When the latest dials to a host began that no handshake has answered, oldest first. */
interface HostDials {
  readonly all: number[];
  readonly hearsay: number[];
}

export class DialPacer {
  /** When the latest dials of hearsay began, oldest first. */
  readonly #hearsay: number[] = [];
  /** The host that was dialled longest ago comes first. */
  readonly #hosts = new Map<string, HostDials>();

  /** Hosts remembered: those dialled within the longest window. */
  get size(): number {
    return this.#hosts.size;
  }

  /** For the dials of one tick. */
  at(now: number): DialGate {
    return {
      mayDial: (host, isPinned) => this.#mayDial(host, isPinned, now),
      take: (host, isPinned) => {
        if (!this.#mayDial(host, isPinned, now)) return false;
        this.#begin(host, isPinned, now);
        return true;
      },
    };
  }

  /** The host has answered a dial with a handshake for our torrent: it is no third party, and that dial does not count for it. */
  answered(host: string, isPinned: boolean): void {
    const dials = this.#hosts.get(host);
    dials?.all.pop();
    if (!isPinned) dials?.hearsay.pop();
  }

  #mayDial(host: string, isPinned: boolean, now: number): boolean {
    const dials = this.#hosts.get(host);
    if (countSince(dials?.all, now - HOST_DIAL_WINDOW_MS) >= MAX_DIALS_PER_HOST) return false;
    if (isPinned) return true;
    return (
      countSince(this.#hearsay, now - HEARSAY_DIAL_WINDOW_MS) < MAX_HEARSAY_DIALS &&
      countSince(dials?.hearsay, now - HEARSAY_HOST_WINDOW_MS) < HEARSAY_DIALS_PER_HOST
    );
  }

  #begin(host: string, isPinned: boolean, now: number): void {
    const dials = this.#hosts.get(host) ?? { all: [], hearsay: [] };
    this.#hosts.delete(host);
    this.#hosts.set(host, dials);
    push(dials.all, now, MAX_DIALS_PER_HOST);
    if (!isPinned) {
      push(dials.hearsay, now, HEARSAY_DIALS_PER_HOST);
      push(this.#hearsay, now, MAX_HEARSAY_DIALS);
    }
    for (const [oldest, { all, hearsay }] of this.#hosts) {
      if (Math.max(all.at(-1) ?? 0, hearsay.at(-1) ?? 0) > now - HEARSAY_HOST_WINDOW_MS) break;
      this.#hosts.delete(oldest);
    }
  }
}

/** How many of the times, which ascend, are later than `start`. */
function countSince(times: readonly number[] = [], start: number): number {
  const first = times.findIndex((at) => at > start);
  return first < 0 ? 0 : times.length - first;
}

function push(times: number[], now: number, kept: number): void {
  times.push(now);
  if (times.length > kept) times.shift();
}
