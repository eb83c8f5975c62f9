// The auditor of a transfer: holds every order against the rules of the wire (BEP 3 and 6) and writes it down. Throws on a
// breach.
import type { PeerHandle } from "../../../src/core/torrent/ids.ts";
import { MAX_UPLOAD_IN_FLIGHT } from "../../../src/core/transfer/limits.ts";
import type { Block, PeerMessage } from "../../../src/core/torrent/peer-message.ts";
import type { TransferEffect } from "../../../src/core/transfer/transfer-types.ts";
import { type AuditedPeer, nameOf } from "./audited-peer.ts";
import type { DownloadBooks } from "../transfer/download-books.ts";

export function must(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new Error(rule);
}

export class OrderAudit {
  readonly #books: DownloadBooks;
  readonly #peers: ReadonlyMap<PeerHandle, AuditedPeer>;

  constructor(books: DownloadBooks, peers: ReadonlyMap<PeerHandle, AuditedPeer>) {
    this.#books = books;
    this.#peers = peers;
  }

  /** @param now milliseconds of the virtual clock. */
  check(effects: readonly TransferEffect[], now: number): void {
    for (const effect of effects) {
      if (effect.type === "verifyPiece") {
        must(this.#books.isWhole(effect.piece), "a piece is hashed when all of it is here");
        this.#books.verifying.push(effect.piece);
      } else if (effect.type === "send" || effect.type === "serveBlock") {
        const peer = this.#peers.get(effect.peer);
        must(peer !== undefined, "orders concern peers that are there");
        if (effect.type === "send") this.#checkMessage(peer, effect.message, now);
        else this.#checkServing(peer, effect.block);
      }
    }
  }

  #checkServing(peer: AuditedPeer, block: Block): void {
    must(peer.isUnchoked && this.#books.have.get(block.piece), "choked peers and lacking pieces get nothing");
    must(peer.answered(block), "only what was asked for is served, once");
    must(peer.bytesOnTheWay < MAX_UPLOAD_IN_FLIGHT, "no more than 1 MiB is on its way to a peer");
    peer.onTheWay.push(block);
  }

  #checkMessage(peer: AuditedPeer, message: PeerMessage, now: number): void {
    switch (message.type) {
      case "request": {
        const objection = this.#books.objection(peer, message.block);
        must(objection === undefined, `${nameOf(message.block)} at ${now} ms: ${objection}`);
        peer.outstanding.set(nameOf(message.block), { block: message.block, at: now });
        break;
      }
      case "cancel":
        must(
          peer.outstanding.get(nameOf(message.block))?.block.length === message.block.length,
          "only what was asked for is cancelled, as it was asked for",
        );
        must(this.#books.isHere(message.block), "only what is here is cancelled");
        peer.outstanding.delete(nameOf(message.block));
        peer.cancelled.set(nameOf(message.block), message.block);
        break;
      case "interested":
      case "notInterested":
        must(peer.isWanted === (message.type === "notInterested"), "interest is told when it changes");
        peer.isWanted = message.type === "interested";
        break;
      case "choke":
      case "unchoke":
        must(peer.isUnchoked === (message.type === "choke"), "choking is told when it changes");
        peer.isUnchoked = message.type === "unchoke";
        if (!peer.fast && !peer.isUnchoked) peer.pending = [];
        break;
      case "reject":
        must(peer.fast && peer.answered(message.block), "only what was asked for is rejected, once (BEP 6)");
        break;
      default:
        break;
    }
  }
}
