// Limits datagrams that are read and sent: a flood must not take our processor time, and forged queries must not make us
// flood their victim with replies. Pure: time comes in.
import {
  DATAGRAM_HOST_BURST,
  DATAGRAM_HOST_RATE,
  DATAGRAM_SOURCE_BURST,
  DATAGRAM_SOURCE_RATE,
  DATAGRAM_TOTAL_BURST,
  DATAGRAM_TOTAL_RATE,
  QUERY_BURST,
  QUERY_RATE,
  REPLY_HOST_BURST,
  REPLY_HOST_RATE,
  REPLY_TOTAL_BURST,
  REPLY_TOTAL_RATE,
} from "./limits.ts";
import { addressKey, type PeerAddress } from "../core/format/peer-address.ts";
import { Allowance, RateTable } from "./rate-guard.ts";

export class DatagramRates {
  /** By address and port, because up to 30 processes may share one address and none may use up the rate of the others. */
  readonly #sources = new RateTable({ burst: DATAGRAM_SOURCE_BURST, perSecond: DATAGRAM_SOURCE_RATE });
  /** By address alone, because one host has 65,535 ports to send from. */
  readonly #hosts = new RateTable({ burst: DATAGRAM_HOST_BURST, perSecond: DATAGRAM_HOST_RATE });
  readonly #incoming = new Allowance({ burst: DATAGRAM_TOTAL_BURST, perSecond: DATAGRAM_TOTAL_RATE });
  /** By address alone, because a forged query may name any port of its victim. */
  readonly #answered = new RateTable({ burst: REPLY_HOST_BURST, perSecond: REPLY_HOST_RATE });
  readonly #replies = new Allowance({ burst: REPLY_TOTAL_BURST, perSecond: REPLY_TOTAL_RATE });
  /** Apart from the replies: queries of others must not stop our own lookups. */
  readonly #queries = new Allowance({ burst: QUERY_BURST, perSecond: QUERY_RATE });

  /**
   * For a query of another node; a reply is bounded by the query of ours that it answers. The narrower rate comes first, so that
   * what it refuses does not use up the wider one. `now` in milliseconds, here and below.
   * @returns false to drop the datagram unread.
   */
  mayRead(from: PeerAddress, now: number): boolean {
    return (
      this.#sources.take(addressKey(from), 1, now) &&
      this.#hosts.take(from.host, 1, now) &&
      this.#incoming.take(1, now)
    );
  }

  /** `length` in bytes. @returns false to send nothing. */
  mayReply(to: PeerAddress, length: number, now: number): boolean {
    return this.#answered.take(to.host, length, now) && this.#replies.take(length, now);
  }

  /** @returns false to send nothing: the query counts as lost. */
  mayAsk(now: number): boolean {
    return this.#queries.take(1, now);
  }
}
