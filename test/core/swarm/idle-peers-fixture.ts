// A torrent at its connection limit on a virtual clock: its peers, and what they do.
import { type PeerHandle, peerHandle } from "../../../src/core/torrent/ids.ts";
import { IDLE_CHECK_MS } from "../../../src/core/swarm/limits.ts";
import { type PeerActivity, IdlePeers } from "../../../src/core/swarm/idle-peers.ts";

type Activity = { -readonly [Key in keyof PeerActivity]: PeerActivity[Key] };

/** Connected peers, checked every second of a virtual clock. */
export class IdlePeersFixture {
  now = 0;
  readonly idlePeers = new IdlePeers(0);
  readonly activities = new Map<PeerHandle, Activity>();
  readonly pinned = new Set<PeerHandle>();
  #nextHandle = 1;

  /** From a host of its own unless one is given. */
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

  /** `meanwhile` runs before each check. */
  pass(milliseconds: number, meanwhile = () => {}): void {
    for (const end = this.now + milliseconds; this.now < end;) {
      this.now = Math.min(end, this.now + IDLE_CHECK_MS);
      meanwhile();
      this.check();
    }
  }

  check(): void {
    this.idlePeers.update((handle) => this.activities.get(handle), this.now);
  }

  /** The peer that would be closed for one of a host that was not seen yet. */
  get candidate(): PeerHandle | undefined {
    return this.candidateFor("new host");
  }

  candidateFor(host: string): PeerHandle | undefined {
    return this.idlePeers.longestIdle(host, (handle) => this.pinned.has(handle))?.handle;
  }

  /** A peer connects to the full torrent. @returns its handle, or undefined: it was refused. */
  connect(state: Partial<Activity> = {}, host = `host ${this.#nextHandle}`): PeerHandle | undefined {
    this.check();
    const candidate = this.candidateFor(host);
    if (candidate === undefined) return undefined;
    this.leave(candidate);
    return this.join(state, host);
  }
}

/** For `pass`: each of `peers` gives or takes a block before every check. */
export const moving =
  (fixture: IdlePeersFixture, peers: readonly PeerHandle[], what: "downloaded" | "uploaded") => () => {
    for (const peer of peers) fixture.set(peer, { [what]: fixture.activities.get(peer)![what] + 16_384 });
  };
