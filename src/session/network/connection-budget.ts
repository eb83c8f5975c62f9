// The connections of the whole process: how many may be dialled, and which one is closed to make room for a new one. Knows no
// clock and no sockets.
import { DialPacer } from "../../core/swarm/dial-pacer.ts";
import { holderToClose } from "../../core/swarm/slot-sharing.ts";
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
  /** Its connected peers, oldest first. */
  peers(): Iterable<PeerConnection>;
  /** The user named it, or it gives or gave the metadata: it always has a slot. */
  isExempt(peer: PeerConnection): boolean;
  /** @returns undefined when every connection is in use or exempt. */
  longestIdle(incoming: PeerConnection): IdleConnection | undefined;
}

export class ConnectionBudget {
  /** How fast addresses are dialled, for all torrents together. */
  readonly pacer = new DialPacer();
  readonly #torrents = new Set<ConnectionHolder>();
  /** Dialled ones from the moment they are open, accepted ones from their handshake on. */
  readonly #connections = new Set<PeerConnection>();
  #dialing = 0;

  /** Dials that may begin now, for all torrents together. A full process dials pinned addresses: they get the slot of another. */
  get dialSlots(): number {
    return MAX_HALF_OPEN_OUTGOING - this.#dialing;
  }

  /** How many of them may go to addresses that are not pinned. */
  get unpinnedDialSlots(): number {
    const room = MAX_CONNECTIONS - this.#connections.size - this.#dialing;
    return Math.max(0, Math.min(this.dialSlots, room));
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
   * For a connection to `torrent` that is counted already. Closes the connection that is idle for longest, or one of the host that
   * holds most: one of the torrent when that is full, then one of any torrent when the process is.
   * @returns false when there is none to close.
   */
  makeRoom(incoming: PeerConnection, torrent: ConnectionHolder): boolean {
    const isExempt = torrent.isExempt(incoming);
    if (torrent.isFull && !closeOne([torrent], incoming, isExempt)) return false;
    return this.#connections.size <= MAX_CONNECTIONS || closeOne(this.#torrents, incoming, isExempt);
  }
}

function closeOne(
  torrents: Iterable<ConnectionHolder>,
  incoming: PeerConnection,
  isExempt: boolean,
): boolean {
  const all = [...torrents];
  return closeLongestIdle(all, incoming) || closeOfLargestShare(all, incoming, isExempt);
}

function closeOfLargestShare(
  torrents: readonly ConnectionHolder[],
  incoming: PeerConnection,
  isExempt: boolean,
): boolean {
  const holders = torrents.flatMap((torrent) =>
    Array.from(torrent.peers(), (peer) => ({
      peer,
      host: peer.remote.host,
      isExempt: torrent.isExempt(peer),
    })),
  );
  const holder = holderToClose(holders, { host: incoming.remote.host, isExempt });
  holder?.peer.close("notNeeded");
  return holder !== undefined;
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
