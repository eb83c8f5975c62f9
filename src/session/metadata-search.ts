// Gets the metadata from one connected peer at a time; a peer that is silent or lies is passed over for the next.
import type { PeerHandle } from "../core/ids.ts";
import { METADATA_MIN_BYTES_PER_MS, METADATA_TIMEOUT_MS } from "../core/limits.ts";
import type { PeerConnection } from "./peer-connection.ts";

export class MetadataSearch {
  readonly #onFound: (infoDict: Uint8Array) => void;
  readonly #tried = new Set<PeerHandle>();
  #asked: { readonly peer: PeerConnection; readonly until: number } | undefined;

  constructor(onFound: (infoDict: Uint8Array) => void) {
    this.#onFound = onFound;
  }

  /** Asks the next peer when nobody is being asked, or the one asked is too slow. */
  tick(peers: Iterable<PeerConnection>, now: number): void {
    if (this.#asked !== undefined && now < this.#asked.until) return;
    this.#asked?.peer.wire.cancelMetadata();
    this.#asked = undefined;
    let offers = 0;
    for (const peer of peers) {
      if (peer.wire.offeredMetadataLength === undefined) continue;
      offers++;
      if (this.#tried.has(peer.handle)) continue;
      void this.#ask(peer, now);
      return;
    }
    // Everybody failed once; perhaps they only were busy.
    if (offers > 0) this.#tried.clear();
  }

  forget(peer: PeerConnection): void {
    this.#tried.delete(peer.handle);
    if (this.#asked?.peer === peer) this.#asked = undefined;
  }

  async #ask(peer: PeerConnection, now: number): Promise<void> {
    this.#tried.add(peer.handle);
    const allowanceMs = (peer.wire.offeredMetadataLength ?? 0) / METADATA_MIN_BYTES_PER_MS;
    const asked = { peer, until: now + METADATA_TIMEOUT_MS + allowanceMs };
    this.#asked = asked;
    const infoDict = await peer.fetchMetadata();
    if (this.#asked === asked) this.#asked = undefined;
    if (infoDict !== undefined) this.#onFound(infoDict);
  }
}
