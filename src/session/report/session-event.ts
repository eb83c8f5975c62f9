// Everything that a session reports: the progress line, the JSON events and the tests are made from these alone.
import type { InfoHash } from "../../core/torrent/ids.ts";
import type { AddressSource } from "../../core/swarm/address-source.ts";
import type { SeedingEnd } from "../../core/transfer/seeding-goal.ts";
import type { ExitCode } from "../../lib/errors.ts";
import type { Moments } from "./milestones.ts";

/** The connected peers of a torrent by how they were found. */
export type PeersBySource = Readonly<Record<AddressSource, number>>;

/** A snapshot of one torrent, about every 200 ms while something moves. Rates in bytes per second. */
export interface TransferSnapshot {
  /** Position of the FILE or MAGNET on the command line, from 0. */
  readonly index: number;
  readonly name: string;
  readonly infoHash: InfoHash;
  readonly phase: "metadata" | "checking" | "downloading" | "seeding";
  readonly size: number;
  /** Verified bytes. */
  readonly completed: number;
  readonly downloadRate: number;
  readonly uploadRate: number;
  readonly downloaded: number;
  readonly uploaded: number;
  /** Connected peers, and those of them that have the whole file. */
  readonly peers: number;
  readonly seeds: number;
  readonly peersBySource: PeersBySource;
  /** Hosts of the whole swarm that want the file or have it, this one included, and those that are done. */
  readonly hosts: number;
  readonly hostsDone: number;
  /** Seconds until complete at the present rate; Infinity when nothing moves. */
  readonly etaSeconds: number;
}

export type SessionEvent =
  /** `allInterfaces`: connections are accepted at every address of this machine, not only at `host`. */
  | {
      readonly type: "listening";
      readonly host: string;
      readonly port: number;
      readonly allInterfaces: boolean;
    }
  | {
      readonly type: "hashing";
      readonly index: number;
      readonly name: string;
      readonly done: number;
      readonly size: number;
    }
  /** `cached`: answered from the state store without reading the file. */
  | {
      readonly type: "serving";
      readonly index: number;
      readonly name: string;
      readonly path: string;
      readonly size: number;
      readonly infoHash: InfoHash;
      readonly magnet: string;
      readonly cached: boolean;
    }
  | {
      readonly type: "metadata";
      readonly index: number;
      readonly name: string;
      readonly size: number;
      readonly infoHash: InfoHash;
      readonly elapsedMs: number;
    }
  | {
      readonly type: "firstPeer";
      readonly index: number;
      readonly infoHash: InfoHash;
      readonly source: AddressSource;
      readonly elapsedMs: number;
    }
  | {
      readonly type: "firstPiece";
      readonly index: number;
      readonly infoHash: InfoHash;
      readonly elapsedMs: number;
    }
  | { readonly type: "progress"; readonly transfers: readonly TransferSnapshot[] }
  /** The file stands complete under its final name. `existed`: it was there already, with the same content. */
  | {
      readonly type: "completed";
      readonly index: number;
      readonly name: string;
      readonly path: string;
      readonly size: number;
      readonly infoHash: InfoHash;
      readonly elapsedMs: number;
      readonly existed: boolean;
      readonly moments: Moments;
    }
  | {
      readonly type: "seedingEnded";
      readonly index: number;
      readonly name: string;
      readonly reason: SeedingEnd;
      readonly uploaded: number;
      readonly ratio: number;
      readonly seconds: number;
      readonly moments: Moments;
    }
  /** `--until-done`: so many hosts have every file, and serving ends. */
  | { readonly type: "hostsDone"; readonly hosts: number; readonly wanted: number }
  /** One file or magnet failed; the others go on. */
  | {
      readonly type: "failed";
      readonly index: number;
      readonly subject: string;
      readonly message: string;
      readonly exitCode: ExitCode;
    }
  | { readonly type: "warning"; readonly message: string };

export type EmitEvent = (event: SessionEvent) => void;
