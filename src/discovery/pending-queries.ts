// The queries whose replies are pending. The library matches a reply by its host alone and puts the senders of unasked
// replies into its routing table; here a reply counts only from the address and port of the query. Pure.
import { MAX_PENDING_QUERIES } from "./limits.ts";
import type { PeerAddress } from "../core/format/peer-address.ts";
import { readUint16 } from "../lib/bytes.ts";

/** How a query of ours ends, "??" being its transaction id: keys are sorted, so "t" and "y" come last (BEP 5). */
const QUERY_END = /1:t2:[\s\S]{2}1:y1:qe$/;
const QUERY_END_LENGTH = 14;
/** Of the library's transaction ids, and where one begins in the end of a query. */
const TRANSACTION_LENGTH = 2;
const TRANSACTION_OFFSET = 5;

/** @returns true when a datagram of the library is a query; otherwise it answers one. */
export function isQuery(datagram: Uint8Array): boolean {
  return QUERY_END.test(String.fromCharCode(...datagram.subarray(-QUERY_END_LENGTH)));
}

export class PendingQueries {
  /** By transaction id, in the order of the queries; the oldest is dropped when the table is full. */
  readonly #asked = new Map<number, PeerAddress>();

  /** Remembers an outgoing datagram if it is a query. */
  sent(datagram: Uint8Array, to: PeerAddress): void {
    if (!isQuery(datagram)) return;
    if (this.#asked.size >= MAX_PENDING_QUERIES) {
      const [oldest] = this.#asked.keys();
      if (oldest !== undefined) this.#asked.delete(oldest);
    }
    const transaction = readUint16(datagram, datagram.length - QUERY_END_LENGTH + TRANSACTION_OFFSET);
    // The library gives an id again only when its earlier query has ended.
    this.#asked.delete(transaction);
    this.#asked.set(transaction, to);
  }

  /** @returns true once for each query to this address and port. */
  settle(transaction: Uint8Array, from: PeerAddress): boolean {
    if (transaction.length !== TRANSACTION_LENGTH) return false;
    const id = readUint16(transaction, 0);
    const asked = this.#asked.get(id);
    if (asked === undefined || asked.host !== from.host || asked.port !== from.port) return false;
    return this.#asked.delete(id);
  }

  get size(): number {
    return this.#asked.size;
  }
}
