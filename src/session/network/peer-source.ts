// A way to find peers, and to be found by them. The DHT (BEP 5) is one.
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { AddressSource } from "../../core/swarm/address-source.ts";
import type { InfoHash } from "../../core/torrent/ids.ts";

export interface PeerSource {
  /** Where its addresses were learned. */
  readonly name: AddressSource;
  /** Known processes that an announce can reach. */
  readonly nodeCount: number;
  /** Once. `onPeer` gets the addresses that announce themselves to us; some may be of torrents that we do not take part in. */
  start(onPeer: (infoHash: InfoHash, address: PeerAddress) => void): void;
  /** Ends after a bounded time; never rejects. `onPeer` gets each address as soon as it is known, once for each host that names it
   * (`namer`; undefined: the address itself did). */
  lookup(infoHash: InfoHash, onPeer: (address: PeerAddress, namer?: string) => void): Promise<void>;
  /** Announces that we accept connections on `port`. Never rejects. @returns whether another process took it. */
  announce(infoHash: InfoHash, port: number): Promise<boolean>;
  /** A connected peer has advertised its DHT port (BEP 5). */
  addNode?(address: PeerAddress): void;
  close(): Promise<void>;
}
