// Which peers of other programs must have the whole file by what they have announced and what we have sent them. They need not say so: many
// announce no piece to a peer that has it, and leave as soon as they have the last block.
import { type Announced, Coverage } from "../../core/exchange/coverage.ts";
import type { Geometry } from "../../core/torrent/geometry.ts";
import type { PeerHandle } from "../../core/torrent/ids.ts";
import type { Block } from "../../core/torrent/peer-message.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";
import { DELIVERY_CHECK_MS, DELIVERY_GRACE_MS } from "./limits.ts";

export interface DeliveryOptions {
  readonly announced: (handle: PeerHandle) => Announced | undefined;
  readonly geometry: () => Geometry | undefined;
}

interface Delivery {
  readonly coverage: Coverage;
  checkedAt: number;
  /** When it was first seen to be whole, with nothing left for the socket to take. */
  wholeAt: number | undefined;
}

export class DeliveryTracking {
  readonly #options: DeliveryOptions;
  /** Of the peers that have requested a block. */
  readonly #deliveries = new Map<PeerHandle, Delivery>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  requested(peer: PeerConnection, block: Block, now: number): void {
    const geometry = this.#options.geometry();
    if (geometry === undefined) return;
    let delivery = this.#deliveries.get(peer.handle);
    if (delivery === undefined) {
      const coverage = new Coverage(geometry);
      delivery = { coverage, checkedAt: Number.NEGATIVE_INFINITY, wholeAt: undefined };
      this.#deliveries.set(peer.handle, delivery);
      peer.onBlockSent = (sent) => coverage.sent(sent);
    }
    delivery.coverage.requested(block, now);
  }

  isWhole(peer: PeerConnection, now: number): boolean {
    const delivery = this.#deliveries.get(peer.handle);
    if (delivery === undefined) return false;
    if (now - delivery.checkedAt >= DELIVERY_CHECK_MS) {
      delivery.checkedAt = now;
      const announced = this.#options.announced(peer.handle);
      const isWhole = announced !== undefined && peer.isFlushed && delivery.coverage.isWhole(announced);
      delivery.wholeAt = isWhole ? (delivery.wholeAt ?? now) : undefined;
    }
    return delivery.wholeAt !== undefined && now - delivery.wholeAt >= DELIVERY_GRACE_MS;
  }

  /** For a peer that closes its connection: nothing is missing but what it has just requested. */
  isWholeAtClose(peer: PeerConnection, now: number): boolean {
    const announced = this.#options.announced(peer.handle);
    const delivery = this.#deliveries.get(peer.handle);
    return announced !== undefined && delivery?.coverage.isWholeAtClose(announced, now) === true;
  }

  forget(peer: PeerConnection): void {
    this.#deliveries.delete(peer.handle);
    peer.onBlockSent = undefined;
  }
}
