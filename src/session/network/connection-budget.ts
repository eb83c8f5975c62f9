// The connections of the whole process: how many may be dialled, and which idle one is closed to make room for an incoming one.
// Knows no clock and no sockets.
import type { PeerConnection } from "../peer/peer-connection.ts";
import { MAX_CONNECTIONS, MAX_HALF_OPEN_OUTGOING } from "./limits.ts";

/** A connection that may be closed for an incoming one, and how many milliseconds ago its time to be of use ended. */
export interface IdleConnection {
  readonly peer: PeerConnection;
  readonly overdueMs: number;
}

/** A torrent, as far as its connections are concerned. */
export interface ConnectionHolder {
  /** It is at the connection limit of a torrent. */
  readonly isFull: boolean;
  /** @returns undefined when every connection is in use or exempt. */
  longestIdle(incoming: PeerConnection): IdleConnection | undefined;
}

export class ConnectionBudget {
  readonly #torrents = new Set<ConnectionHolder>();
  /** Dialled ones from the moment they are open, accepted ones from their handshake on. */
  readonly #connections = new Set<PeerConnection>();
  #dialing = 0;

  /** Dials that may begin now, for all torrents together. */
  get dialSlots(): number {
    const room = MAX_CONNECTIONS - this.#connections.size - this.#dialing;
    return Math.max(0, Math.min(MAX_HALF_OPEN_OUTGOING - this.#dialing, room));
  }

  /** Holds a dial slot until the attempt has ended. */
  async dialing<Result>(attempt: Promise<Result>): Promise<Result> {
    this.#dialing++;
    try {
      return await attempt;
    } finally {
      this.#dialing--;
    }
  }

  join(torrent: ConnectionHolder): void {
    this.#torrents.add(torrent);
  }

  leave(torrent: ConnectionHolder): void {
    this.#torrents.delete(torrent);
  }

  add(connection: PeerConnection): void {
    this.#connections.add(connection);
  }

  remove(connection: PeerConnection): void {
    this.#connections.delete(connection);
  }

  /**
   * For a connection to `torrent` that is counted already. Closes the connection that is idle for longest: one of the torrent when
   * that is full, then one of any torrent when the process is.
   * @returns false when there is none to close.
   */
  makeRoom(incoming: PeerConnection, torrent: ConnectionHolder): boolean {
    if (torrent.isFull && !closeLongestIdle([torrent], incoming)) return false;
    return this.#connections.size <= MAX_CONNECTIONS || closeLongestIdle(this.#torrents, incoming);
  }
}

function closeLongestIdle(torrents: Iterable<ConnectionHolder>, incoming: PeerConnection): boolean {
  let longest: IdleConnection | undefined;
  for (const torrent of torrents) {
    const idle = torrent.longestIdle(incoming);
    if (idle !== undefined && idle.overdueMs > (longest?.overdueMs ?? -1)) longest = idle;
  }
  longest?.peer.close("notNeeded");
  return longest !== undefined;
}
