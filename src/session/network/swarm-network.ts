// What a torrent and the process on the network need of each other.
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { AddressPolicy } from "../../core/swarm/address-policy.ts";
import type { AddressSource } from "../../core/swarm/address-source.ts";
import type { InfoHash, PeerId } from "../../core/torrent/ids.ts";
import type { PeerFault } from "../../core/torrent/peer-message.ts";
import type { Logger } from "../../lib/logger.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";
import type { ConnectionBudget, ConnectionHolder } from "./connection-budget.ts";
import type { PeerSource } from "./peer-source.ts";

/** What the process needs of each torrent that it takes part in. */
export interface Torrent extends ConnectionHolder {
  readonly infoHash: InfoHash;
  /** An incoming handshake names this torrent. @returns why the connection is refused; undefined: it is admitted. */
  admit(peer: PeerConnection): PeerFault | undefined;
  /** An address of a peer of this torrent became known. */
  learn(address: PeerAddress, source: AddressSource): void;
  tick(now: number): void;
  close(): void;
}

/** What a torrent needs of the process. */
export interface SwarmNetwork {
  readonly peerId: PeerId;
  /** Where this process accepts connections. */
  readonly address: PeerAddress;
  readonly logger: Logger;
  readonly policy: Pick<AddressPolicy, "allows">;
  readonly sources: readonly PeerSource[];
  readonly budget: ConnectionBudget;
  /** Milliseconds of a clock that never steps back. */
  readonly now: () => number;
  /** @returns undefined when the host did not answer in time. */
  dial(address: PeerAddress): Promise<PeerConnection | undefined>;
  remove(torrent: Torrent): void;
}
