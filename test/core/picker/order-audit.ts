// The auditor of a transfer: checks every effect against the rules of the protocol (BEP 3 and 6) and records it. Throws on a
// breach.
import type { PeerHandle } from "../../../src/core/torrent/ids.ts";
import { MAX_UPLOAD_IN_FLIGHT } from "../../../src/core/transfer/limits.ts";
import type { Block, PeerMessage } from "../../../src/core/torrent/peer-message.ts";
import type { TransferEffect } from "../../../src/core/transfer/transfer-types.ts";
import { type AuditedPeer, nameOf } from "./audited-peer.ts";
import type { DownloadModel } from "../transfer/download-model.ts";

export function must(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new Error(rule);
}

export class OrderAudit {
  readonly #model: DownloadModel;
  readonly #peers: ReadonlyMap<PeerHandle, AuditedPeer>;

  constructor(books: DownloadModel, peers: ReadonlyMap<PeerHandle, AuditedPeer>) {
    this.#model = books;
    this.#peers = peers;
  }

  /** @param now milliseconds of the virtual clock. */
  check(effects: readonly TransferEffect[], now: number): void {
    for (const effect of effects) {
      if (effect.type === "verifyPiece") {
        must(this.#model.isWhole(effect.piece), "a piece is hashed when every block is received");
        this.#model.verifying.push(effect.piece);
      } else if (effect.type === "send" || effect.type === "serveBlock") {
        const peer = this.#peers.get(effect.peer);
        must(peer !== undefined, "effects name connected peers");
        if (effect.type === "send") this.#checkMessage(peer, effect.message, now);
        else this.#checkServing(peer, effect.block);
      }
    }
  }

  #checkServing(peer: AuditedPeer, block: Block): void {
    must(
      peer.isUnchoked && this.#model.have.get(block.piece),
      "nothing is served to choked peers or of missing pieces",
    );
    must(peer.answered(block), "only a pending request is served, once");
    must(peer.bytesInFlight < MAX_UPLOAD_IN_FLIGHT, "in flight to a peer is less than MAX_UPLOAD_IN_FLIGHT");
    peer.inFlight.push(block);
  }

  #checkMessage(peer: AuditedPeer, message: PeerMessage, now: number): void {
    switch (message.type) {
      case "request": {
        const objection = this.#model.objection(peer, message.block);
        must(objection === undefined, `${nameOf(message.block)} at ${now} ms: ${objection}`);
        peer.outstanding.set(nameOf(message.block), { block: message.block, at: now });
        break;
      }
      case "cancel":
        must(
          peer.outstanding.get(nameOf(message.block))?.block.length === message.block.length,
          "only an outstanding request is cancelled, with its length",
        );
        must(this.#model.isReceived(message.block), "only received blocks are cancelled");
        peer.outstanding.delete(nameOf(message.block));
        peer.cancelled.set(nameOf(message.block), message.block);
        break;
      case "interested":
      case "notInterested":
        must(peer.amInterested === (message.type === "notInterested"), "interest is sent when it changes");
        peer.amInterested = message.type === "interested";
        break;
      case "choke":
      case "unchoke":
        must(
          peer.isUnchoked === (message.type === "choke"),
          "choke and unchoke are sent when the state changes",
        );
        peer.isUnchoked = message.type === "unchoke";
        if (!peer.fast && !peer.isUnchoked) peer.pending = [];
        break;
      case "reject":
        must(peer.fast && peer.answered(message.block), "only a pending request is rejected, once (BEP 6)");
        break;
      default:
        break;
    }
  }
}
