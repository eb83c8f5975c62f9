// Limits datagrams that are read and sent: a flood must not take our processor time, and forged queries must not make us
// flood their victim with replies. Pure: time comes in.
import {
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
import { Allowance, RateGuard } from "./rate-guard.ts";

export class DatagramRates {
  /** By address and port, because up to 30 processes may share one address. */
  readonly #incoming = new RateGuard(
    { burst: DATAGRAM_SOURCE_BURST, perSecond: DATAGRAM_SOURCE_RATE },
    { burst: DATAGRAM_TOTAL_BURST, perSecond: DATAGRAM_TOTAL_RATE },
  );
  /** By address alone, because a forged query may name any port of its victim. */
  readonly #replies = new RateGuard(
    { burst: REPLY_HOST_BURST, perSecond: REPLY_HOST_RATE },
    { burst: REPLY_TOTAL_BURST, perSecond: REPLY_TOTAL_RATE },
  );
  /** Apart from the replies: queries of others must not stop our own lookups. */
  readonly #queries = new Allowance({ burst: QUERY_BURST, perSecond: QUERY_RATE });

  /** `now` in milliseconds, here and below. @returns false to drop the datagram unread. */
  mayRead(from: PeerAddress, now: number): boolean {
    return this.#incoming.allows(addressKey(from), 1, now);
  }

  /** `length` in bytes. @returns false to send nothing. */
  mayReply(to: PeerAddress, length: number, now: number): boolean {
    return this.#replies.allows(to.host, length, now);
  }

  /** @returns false to send nothing: the query counts as lost. */
  mayAsk(now: number): boolean {
    return this.#queries.take(1, now);
  }
}
