// The queries whose replies are pending. The library matches a reply by its host alone and puts the senders of unasked
// replies into its routing table; here a reply counts only from the address and port of the query. Pure.
import { MAX_PENDING_QUERIES } from "./limits.ts";
import { addressKey, type PeerAddress } from "../core/format/peer-address.ts";
import { toHex } from "../lib/bytes.ts";

/** How a query of ours ends, "??" being its transaction id: keys are sorted, so "t" and "y" come last (BEP 5). */
const QUERY_END = /1:t2:[\s\S]{2}1:y1:qe$/;
const QUERY_END_LENGTH = 14;

/** @returns true when a datagram of the library is a query; otherwise it answers one. */
export function isQuery(datagram: Uint8Array): boolean {
  return QUERY_END.test(String.fromCharCode(...datagram.subarray(-QUERY_END_LENGTH)));
}

export class PendingQueries {
  /** In the order of the queries; the oldest is dropped when the table is full. */
  readonly #asked = new Set<string>();

  /** Remembers an outgoing datagram if it is a query. */
  sent(datagram: Uint8Array, to: PeerAddress): void {
    if (!isQuery(datagram)) return;
    if (this.#asked.size >= MAX_PENDING_QUERIES) {
      const [oldest] = this.#asked;
      if (oldest !== undefined) this.#asked.delete(oldest);
    }
    const end = datagram.subarray(-QUERY_END_LENGTH);
    this.#asked.add(keyOf(end.subarray(5, 7), to));
  }

  /** @returns true once for each query that was sent to `from` under this transaction id. */
  settle(transaction: Uint8Array, from: PeerAddress): boolean {
    return this.#asked.delete(keyOf(transaction, from));
  }

  get size(): number {
    return this.#asked.size;
  }
}

function keyOf(transaction: Uint8Array, address: PeerAddress): string {
  return `${toHex(transaction)}@${addressKey(address)}`;
}
