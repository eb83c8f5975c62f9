// A swarm on a virtual clock: one node's send is another's received after the link's delay; blocks take their time on
// the sender's uplink and the receiver's downlink. No sockets, no real time; a run is a function of its options.
import type { Geometry } from "../../src/core/geometry.ts";
import { peerHandle } from "../../src/core/ids.ts";
import { TICK_MS } from "../../src/core/limits.ts";
import type { PeerMessage } from "../../src/core/peer-message.ts";
import type { TransferEffect, TransferEvent } from "../../src/core/transfer-types.ts";
import { EventQueue } from "./event-queue.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { BAD_DIGEST, GOOD_DIGEST, SimNode } from "./sim-node.ts";

export interface SwarmOptions {
  readonly geometry: Geometry;
  readonly randomSeed: number;
  /** Milliseconds from one node to another. */
  readonly delayMs: number;
}

export interface NodeOptions {
  readonly isSeed?: boolean;
  readonly isLiar?: boolean;
  /** Bytes per second each way. */
  readonly bytesPerSecond: number;
}

/** Milliseconds a worker needs for a piece: its length at 2 GB/s is below 1 ms for all pieces used here. */
const HASH_MS = 1;

export class Swarm {
  readonly queue = new EventQueue();
  readonly random: () => number;
  readonly nodes: SimNode[] = [];
  /** How often a connection was closed for which fault. */
  readonly faults = new Map<string, SimNode[]>();
  readonly #options: SwarmOptions;
  #nextHandle = 1;

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.random = seededRandom(options.randomSeed);
  }

  add(options: NodeOptions): SimNode {
    const node = new SimNode({
      name: this.nodes.length,
      geometry: this.#options.geometry,
      isSeed: options.isSeed ?? false,
      isLiar: options.isLiar ?? false,
      rate: options.bytesPerSecond / 1000,
      random: this.random,
      now: this.queue.now,
    });
    this.nodes.push(node);
    const tick = () => {
      if (node.isGone) return;
      this.#handle(node, { type: "ticked" });
      this.queue.plan(this.queue.now + TICK_MS, tick);
    };
    // Real machines do not tick together.
    this.queue.plan(this.queue.now + this.random() * TICK_MS, tick);
    return node;
  }

  connect(a: SimNode, b: SimNode): void {
    if (a === b || a.handles.has(b) || a.isGone || b.isGone) return;
    for (const [node, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const handle = peerHandle(this.#nextHandle++);
      node.handles.set(other, handle);
      node.neighbours.set(handle, other);
    }
    for (const [node, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#handle(node, { type: "peerJoined", peer: node.handles.get(other)!, fast: true, greeted: false });
    }
  }

  disconnect(a: SimNode, b: SimNode): void {
    for (const [node, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const handle = node.handles.get(other);
      if (handle === undefined) continue;
      node.handles.delete(other);
      node.neighbours.delete(handle);
      if (!node.isGone) this.#handle(node, { type: "peerLeft", peer: handle });
    }
  }

  /** The node vanishes with all its connections. */
  remove(node: SimNode): void {
    node.isGone = true;
    for (const neighbour of node.handles.keys()) this.disconnect(node, neighbour);
  }

  /** Runs until `done` or the virtual time is up. @returns the virtual time in milliseconds. */
  run(limitMs: number, done: () => boolean): number {
    while (!done() && this.queue.now <= limitMs && this.queue.step());
    return this.queue.now;
  }

  #handle(node: SimNode, event: TransferEvent): void {
    for (const effect of node.transfer.handle(event, this.queue.now)) this.#apply(node, effect);
  }

  #apply(node: SimNode, effect: TransferEffect): void {
    switch (effect.type) {
      case "send":
        this.#deliver(node, effect.peer, effect.message, this.queue.now + this.#options.delayMs);
        break;
      case "serveBlock": {
        const { length } = effect.block;
        node.uplinkFreeAt = Math.max(this.queue.now, node.uplinkFreeAt) + length / node.rate;
        node.sentBytes += length;
        this.queue.plan(node.uplinkFreeAt, () => {
          if (!node.neighbours.has(effect.peer)) return;
          this.#deliver(
            node,
            effect.peer,
            { type: "block", block: effect.block },
            this.queue.now + this.#options.delayMs,
          );
          this.#handle(node, { type: "uploaded", peer: effect.peer, bytes: length });
        });
        break;
      }
      case "verifyPiece":
        this.queue.plan(this.queue.now + HASH_MS, () => {
          if (node.isGone) return;
          const digest = node.spoiled.delete(effect.piece) ? BAD_DIGEST : GOOD_DIGEST;
          this.#handle(node, { type: "pieceHashed", piece: effect.piece, digest });
        });
        break;
      case "completed":
        node.doneAt = this.queue.now;
        break;
      case "closePeer": {
        const other = node.neighbours.get(effect.peer);
        if (other === undefined) break;
        this.faults.set(effect.fault, [...(this.faults.get(effect.fault) ?? []), other]);
        this.disconnect(node, other);
        break;
      }
      case "writeBlock":
      case "pieceVerified":
      case "pieceFailed":
        break;
    }
  }

  #deliver(from: SimNode, handle: number, message: PeerMessage, at: number): void {
    const to = from.neighbours.get(peerHandle(handle));
    if (to === undefined) return;
    const arrive = () => {
      const back = to.handles.get(from);
      if (back === undefined || to.isGone) return;
      if (message.type === "block") {
        to.receivedBytes += message.block.length;
        if (from.isLiar) to.spoiled.add(message.block.piece);
      }
      this.#handle(to, { type: "received", peer: back, message });
    };
    if (message.type !== "block") {
      this.queue.plan(at, arrive);
      return;
    }
    this.queue.plan(at, () => {
      to.downlinkFreeAt = Math.max(this.queue.now, to.downlinkFreeAt) + message.block.length / to.rate;
      this.queue.plan(to.downlinkFreeAt, arrive);
    });
  }
}

/** Connects every node to `degree` random others besides those that choose it. */
export function connectAtRandom(swarm: Swarm, degree: number): void {
  for (const node of swarm.nodes) {
    for (let i = 0; i < degree; i++) {
      const other = swarm.nodes[Math.floor(swarm.random() * swarm.nodes.length)];
      if (other !== undefined) swarm.connect(node, other);
    }
  }
}
