// What a torrent and the process on the network need of each other.
import type { Report } from "../../core/exchange/report-message.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { AddressPolicy } from "../../core/swarm/address-policy.ts";
import type { AddressSource, PinnedSource } from "../../core/swarm/address-source.ts";
import type { InfoHash, PeerId } from "../../core/torrent/ids.ts";
import type { PeerFault } from "../../core/torrent/peer-message.ts";
import type { Logger } from "../../lib/logger.ts";
import type { ReportPort } from "../exchange/reporter.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";
import type { ConnectionBudget, ConnectionHolder } from "./connection-budget.ts";
import type { PeerSource } from "./peer-source.ts";

/** What the process needs of each torrent that it takes part in. */
export interface Torrent extends ConnectionHolder {
  readonly infoHash: InfoHash;
  /** An incoming handshake names this torrent. @returns why the connection is refused; undefined: it is admitted. */
  admit(peer: PeerConnection): PeerFault | undefined;
  /** An address of a peer of this torrent became known. `namer`: the host that named it, by default its own. */
  learn(address: PeerAddress, source: AddressSource, namer?: string): void;
  readonly gossip: {
    /** A report of a host; `hasProof`: it comes from there. @returns how many others lack data; undefined: we do not collect. */
    reported(report: Report, host: string, hasProof: boolean): number | undefined;
    /** Asks whether our last state is reported, and sends it again when it is time; also after `close`. */
    isReported(): boolean;
  };
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
  readonly reports: ReportPort;
  /** Milliseconds of a clock that never steps back. */
  readonly now: () => number;
  /** @returns undefined when the host did not answer in time. */
  dial(address: PeerAddress): Promise<PeerConnection | undefined>;
  remove(torrent: Torrent): void;
}

/** What a torrent is and what it reports. */
export interface SwarmOptions {
  readonly node: SwarmNetwork;
  readonly infoHash: InfoHash;
  /** Known from the start for a served file or a resumed download. */
  readonly infoDict: Uint8Array | undefined;
  readonly pinned: readonly { readonly address: PeerAddress; readonly source: PinnedSource }[];
  /** What this host is in the host exchange at first: it has the file, or wants it. */
  readonly state: "source" | "leeching";
  /** The id of our destination, in hexadecimal digits, and how many destinations of one address we count. */
  readonly destination: string;
  readonly hostsPerAddress: number;
  readonly onMetadata: (infoDict: Uint8Array) => void;
  readonly onFirstPeer: (source: AddressSource) => void;
}
