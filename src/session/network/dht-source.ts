// The DHT as a source of peers. The node itself is bound and opened with the port (open-port.ts).
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { InfoHash } from "../../core/torrent/ids.ts";
import type { Dht } from "../../discovery/dht.ts";
import type { PeerSource } from "./peer-source.ts";

export class DhtSource implements PeerSource {
  readonly name = "dht";
  readonly #dht: Dht;

  constructor(dht: Dht) {
    this.#dht = dht;
  }

  get nodeCount(): number {
    return this.#dht.nodeCount;
  }

  start(onPeer: (infoHash: InfoHash, address: PeerAddress) => void): void {
    this.#dht.onAnnounced(onPeer);
  }

  lookup(infoHash: InfoHash, onPeer: (address: PeerAddress, namer?: string) => void): Promise<void> {
    return this.#dht.lookup(infoHash, onPeer);
  }

  announce(infoHash: InfoHash, port: number): Promise<boolean> {
    return this.#dht.announce(infoHash, port);
  }

  addNode(address: PeerAddress): void {
    this.#dht.addNode(address);
  }

  close(): Promise<void> {
    return this.#dht.close();
  }
}
