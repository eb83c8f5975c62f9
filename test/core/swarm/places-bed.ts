// A full torrent on a virtual clock: peers with places, and what they do.
import { type PeerHandle, peerHandle } from "../../../src/core/torrent/ids.ts";
import { PLACE_CHECK_MS } from "../../../src/core/swarm/limits.ts";
import { type PlaceHolder, Places } from "../../../src/core/swarm/idle-peers.ts";

type Holder = { -readonly [Key in keyof PlaceHolder]: PlaceHolder[Key] };

/** Peers with places, looked at every second of a virtual clock. */
export class PlacesBed {
  now = 0;
  readonly places = new Places(0);
  readonly holders = new Map<PeerHandle, Holder>();
  readonly pinned = new Set<PeerHandle>();
  #nextHandle = 1;

  /** From a host of its own unless it is said. */
  join(state: Partial<Holder> = {}, host = `host ${this.#nextHandle}`): PeerHandle {
    const handle = peerHandle(this.#nextHandle++);
    this.places.take(handle, host);
    this.holders.set(handle, {
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
    this.places.leave(handle);
    this.holders.delete(handle);
  }

  set(handle: PeerHandle, state: Partial<Holder>): void {
    Object.assign(this.holders.get(handle)!, state);
  }

  /** `meanwhile` runs before each look. */
  pass(milliseconds: number, meanwhile = () => {}): void {
    for (const end = this.now + milliseconds; this.now < end;) {
      this.now = Math.min(end, this.now + PLACE_CHECK_MS);
      meanwhile();
      this.look();
    }
  }

  look(): void {
    this.places.look((handle) => this.holders.get(handle), this.now);
  }

  /** Who would give way now to a newcomer of a host that was not seen yet. */
  get idlest(): PeerHandle | undefined {
    return this.idlestFor("newcomer's");
  }

  idlestFor(host: string): PeerHandle | undefined {
    return this.places.mostOverdue(host, (handle) => this.pinned.has(handle))?.handle;
  }

  /** A newcomer at a full table. @returns its handle, or undefined: it got no place. */
  knock(state: Partial<Holder> = {}, host = `host ${this.#nextHandle}`): PeerHandle | undefined {
    this.look();
    const idlest = this.idlestFor(host);
    if (idlest === undefined) return undefined;
    this.leave(idlest);
    return this.join(state, host);
  }
}

/** For `pass`: each of `peers` gives or takes a block before every look. */
export const moving =
  (bed: PlacesBed, peers: readonly PeerHandle[], what: "downloaded" | "uploaded") => () => {
    for (const peer of peers) bed.set(peer, { [what]: bed.holders.get(peer)![what] + 16_384 });
  };
