// A fleet on a virtual clock: real Transfers, simulated links. No sockets, no real time; a run is a function of its
// options. docs/FLEETS.md says what the model leaves out.
import type { Geometry } from "../../src/core/torrent/geometry.ts";
import { peerHandle, type PieceIndex } from "../../src/core/torrent/ids.ts";
import { MAX_REQUEST_LENGTH } from "../../src/core/torrent/limits.ts";
import { TICK_MS } from "../../src/session/network/limits.ts";
import { MiB } from "../../src/lib/units.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { Discovery } from "./discovery.ts";
import type { TransferEffect } from "../../src/core/transfer/transfer-types.ts";
import { EventQueue } from "./event-queue.ts";
import { BAD_DIGEST, GOOD_DIGEST, type HostShell, SimHost } from "./sim-host.ts";
import { Stream } from "./stream.ts";

export interface SwarmOptions {
  readonly geometry: Geometry;
  readonly randomSeed: number;
  /** Milliseconds that a worker needs to hash a MiB. @default 1 */
  readonly hashMsPerMiB?: number;
}

export interface HostOptions {
  readonly isSeed?: boolean;
  readonly isCulprit?: boolean;
  /** Bytes per second. */
  readonly up: number;
  readonly down: number;
  /** Milliseconds to the middle of the network. @default 0.1: a round trip of 0.4 ms */
  readonly delayMs?: number;
  /** When its program starts, in milliseconds; infinite: by `start` only. @default 0 */
  readonly startAt?: number;
}

export class Swarm implements HostShell {
  readonly queue = new EventQueue();
  readonly geometry: Geometry;
  readonly random: () => number;
  readonly hosts: SimHost[] = [];
  readonly discovery: Discovery;
  /** Machines that were closed, by fault. */
  readonly faults = new Map<string, SimHost[]>();
  /** Called when a machine has the whole file. */
  onCompleted: (host: SimHost) => void = () => {};
  /** Called when a machine has verified a piece. */
  onVerified: (host: SimHost, piece: PieceIndex) => void = () => {};
  readonly #hashMsPerMiB: number;
  #nextHandle = 1;

  constructor(options: SwarmOptions) {
    this.geometry = options.geometry;
    this.random = seededRandom(options.randomSeed);
    this.#hashMsPerMiB = options.hashMsPerMiB ?? 1;
    this.discovery = new Discovery(this);
  }

  add(options: HostOptions): SimHost {
    const host = new SimHost(this.queue, this, {
      name: this.hosts.length,
      geometry: this.geometry,
      isSeed: options.isSeed ?? false,
      isCulprit: options.isCulprit ?? false,
      up: options.up / 1000,
      down: options.down / 1000,
      delayMs: options.delayMs ?? 0.1,
      random: this.random,
    });
    this.hosts.push(host);
    if (options.startAt !== Number.POSITIVE_INFINITY) {
      this.queue.plan(options.startAt ?? 0, () => this.start(host));
    }
    return host;
  }

  /** Starts the machine's program: it ticks and looks for peers. */
  start(host: SimHost): void {
    if (host.hasStarted || host.isGone) return;
    host.hasStarted = true;
    host.startedAt = this.queue.now;
    const ticker = {
      happen: () => {
        if (host.isGone) return;
        host.handle({ type: "ticked" });
        this.queue.after(TICK_MS, ticker);
      },
    };
    // Real machines do not tick together.
    this.queue.planEvent(this.queue.now + this.random() * TICK_MS, ticker);
    this.discovery.start(host);
  }

  connect(a: SimHost, b: SimHost): void {
    if (a === b || a.neighbours.has(b) || a.isGone || b.isGone) return;
    const ofA = peerHandle(this.#nextHandle++);
    const ofB = peerHandle(this.#nextHandle++);
    const there = new Stream(this.queue, a, b, { sender: ofA, receiver: ofB });
    const back = new Stream(this.queue, b, a, { sender: ofB, receiver: ofA });
    a.streams.set(ofB, there);
    b.streams.set(ofA, back);
    a.neighbours.set(b, there);
    b.neighbours.set(a, back);
    a.handle({ type: "peerJoined", peer: ofB, fast: true, haveNoneSent: false });
    b.handle({ type: "peerJoined", peer: ofA, fast: true, haveNoneSent: false });
    a.handle({ type: "peerRequestLength", peer: ofB, bytes: MAX_REQUEST_LENGTH });
    b.handle({ type: "peerRequestLength", peer: ofA, bytes: MAX_REQUEST_LENGTH });
  }

  disconnect(a: SimHost, b: SimHost): void {
    for (const [host, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const stream = host.neighbours.get(other);
      if (stream === undefined) continue;
      stream.close();
      host.neighbours.delete(other);
      host.streams.delete(stream.receiverHandle);
      if (!host.isGone) host.handle({ type: "peerLeft", peer: stream.receiverHandle });
    }
  }

  /** The machine vanishes with all its connections. */
  remove(host: SimHost): void {
    host.isGone = true;
    for (const neighbour of host.neighbours.keys()) this.disconnect(host, neighbour);
  }

  /** Runs until `done` or the virtual time is up. @returns the virtual time in milliseconds. */
  run(limitMs: number, done: () => boolean): number {
    while (!done() && this.queue.now <= limitMs && this.queue.step());
    return this.queue.now;
  }

  hash(host: SimHost, { type, piece }: TransferEffect & { type: "verifyPiece" | "digestBlocks" }): void {
    const hashMs = (this.geometry.lengthOfPiece(piece) / MiB) * this.#hashMsPerMiB;
    const happen = () => {
      if (host.isGone) return;
      const digests = host.digestsOf(piece);
      if (type === "digestBlocks") {
        host.handle({ type: "blocksHashed", piece, digests });
        return;
      }
      const isRight = digests.every((byte) => byte === 1);
      host.handle({ type: "pieceHashed", piece, digest: isRight ? GOOD_DIGEST : BAD_DIGEST });
      if (isRight) this.onVerified(host, piece);
    };
    this.queue.after(hashMs, { happen });
  }

  closePeer(host: SimHost, stream: Stream, fault: string): void {
    this.faults.set(fault, [...(this.faults.get(fault) ?? []), stream.to]);
    this.disconnect(host, stream.to);
  }

  completed(host: SimHost): void {
    this.onCompleted(host);
  }
}
