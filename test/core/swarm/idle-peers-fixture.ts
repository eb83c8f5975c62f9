// A full torrent on a virtual clock: peers with places, and what they do.
import { type PeerHandle, peerHandle } from "../../../src/core/torrent/ids.ts";
import { IDLE_CHECK_MS } from "../../../src/core/swarm/limits.ts";
import { type PeerActivity, IdlePeers } from "../../../src/core/swarm/idle-peers.ts";

type Activity = { -readonly [Key in keyof PeerActivity]: PeerActivity[Key] };

/** Peers with places, looked at every second of a virtual clock. */
export class IdlePeersFixture {
  now = 0;
  readonly idlePeers = new IdlePeers(0);
  readonly activities = new Map<PeerHandle, Activity>();
  readonly pinned = new Set<PeerHandle>();
  #nextHandle = 1;

  /** From a host of its own unless it is said. */
  join(state: Partial<Activity> = {}, host = `host ${this.#nextHandle}`): PeerHandle {
    const handle = peerHandle(this.#nextHandle++);
    this.idlePeers.add(handle, host);
    this.activities.set(handle, {
      downloaded: 0,
      uploaded: 0,
      peerInterested: false,
      amChoking: true,
      uploads: { length: 0 },
      uploadInFlight: 0,
      ...state,
    });
    return handle;
  }

  leave(handle: PeerHandle): void {
    this.idlePeers.remove(handle);
    this.activities.delete(handle);
  }

  set(handle: PeerHandle, state: Partial<Activity>): void {
    Object.assign(this.activities.get(handle)!, state);
  }

  /** `meanwhile` runs before each look. */
  pass(milliseconds: number, meanwhile = () => {}): void {
    for (const end = this.now + milliseconds; this.now < end;) {
      this.now = Math.min(end, this.now + IDLE_CHECK_MS);
      meanwhile();
      this.look();
    }
  }

  look(): void {
    this.idlePeers.update((handle) => this.activities.get(handle), this.now);
  }

  /** Who would give way now to a newcomer of a host that was not seen yet. */
  get idlest(): PeerHandle | undefined {
    return this.idlestFor("newcomer's");
  }

  idlestFor(host: string): PeerHandle | undefined {
    return this.idlePeers.longestIdle(host, (handle) => this.pinned.has(handle))?.handle;
  }

  /** A newcomer at a full table. @returns its handle, or undefined: it got no place. */
  knock(state: Partial<Activity> = {}, host = `host ${this.#nextHandle}`): PeerHandle | undefined {
    this.look();
    const idlest = this.idlestFor(host);
    if (idlest === undefined) return undefined;
    this.leave(idlest);
    return this.join(state, host);
  }
}

/** For `pass`: each of `peers` gives or takes a block before every look. */
export const moving =
  (fixture: IdlePeersFixture, peers: readonly PeerHandle[], what: "downloaded" | "uploaded") => () => {
    for (const peer of peers) fixture.set(peer, { [what]: fixture.activities.get(peer)![what] + 16_384 });
  };
