// Reports over the UDP socket of the DHT (`pf_report`): apart from the library, with tokens and a budget of their own, so that neither takes
// from the other. Knows no torrent and no table of hosts.
import {
  encodeReport,
  encodeReportAnswer,
  looksLikeReport,
  parseReport,
  parseReportAnswer,
  type Report,
  type ReportAnswer,
  transactionOfAnswer,
} from "../core/exchange/report-message.ts";
import { REPORT_TRANSACTION_LENGTH } from "../core/exchange/limits.ts";
import { ReportPace } from "../core/exchange/report-pace.ts";
import { addressKey, type PeerAddress } from "../core/format/peer-address.ts";
import { toHex } from "../lib/bytes.ts";
import type { Clock } from "../lib/clock.ts";
import {
  MAX_PENDING_REPORTS,
  MAX_REPORT_TOKENS,
  REPORT_SOURCE_BURST,
  REPORT_SOURCE_RATE,
  REPORT_TOTAL_BURST,
  REPORT_TOTAL_RATE,
} from "./limits.ts";
import { Allowance, RateTable } from "./rate-guard.ts";
import { ReportTokens } from "./report-tokens.ts";

const SECRET_LENGTH = 20;

export interface ReportChannelOptions {
  readonly clock: Clock;
  /** Our node's id, 20 bytes. */
  readonly nodeId: () => Uint8Array;
  readonly send: (datagram: Uint8Array, to: PeerAddress) => void;
}

/**
 * Called with a report: `hasProof` says whether its token proves that it comes from `host`. @returns how many destinations lack data besides
 * the sender's; undefined where this process does not collect the reports of that torrent.
 */
export type TakeReport = (report: Report, host: string, hasProof: boolean) => number | undefined;
export type OnReportAnswer = (answer: ReportAnswer) => void;

interface Pending {
  readonly to: string;
  readonly onAnswer: OnReportAnswer;
}

export class ReportChannel {
  readonly #options: ReportChannelOptions;
  readonly #tokens: ReportTokens;
  readonly #pace = new ReportPace();
  /** By address: the port of a forged query may be any. */
  readonly #rates = new RateTable({ burst: REPORT_SOURCE_BURST, perSecond: REPORT_SOURCE_RATE });
  readonly #totalRate = new Allowance({ burst: REPORT_TOTAL_BURST, perSecond: REPORT_TOTAL_RATE });
  /** By transaction id. */
  readonly #pending = new Map<string, Pending>();
  /** By the address of the collector that gave it. */
  readonly #given = new Map<string, Uint8Array>();
  #take: TakeReport = () => undefined;

  constructor(options: ReportChannelOptions) {
    this.#options = options;
    this.#tokens = new ReportTokens(options.clock.randomBytes(SECRET_LENGTH));
  }

  /** What the reports of others go to; until it is called none is answered. */
  onReport(take: TakeReport): void {
    this.#take = take;
  }

  /** `onAnswer` is called at most once, and only for an answer from that address. */
  send(report: Report, to: PeerAddress, onAnswer: OnReportAnswer): void {
    const { clock, nodeId, send } = this.#options;
    const transaction = clock.randomBytes(REPORT_TRANSACTION_LENGTH);
    const key = addressKey(to);
    putLatest(this.#pending, toHex(transaction), { to: key, onAnswer }, MAX_PENDING_REPORTS);
    send(encodeReport({ transaction, report, token: this.#given.get(key) }, nodeId()), to);
  }

  /** @returns whether the datagram is a report, or the answer to one of ours: then it is nothing for the DHT. */
  takes(datagram: Uint8Array, from: PeerAddress): boolean {
    if (looksLikeReport(datagram)) {
      const now = this.#options.clock.now();
      // The address first, so that a flood from one address does not use up what all share.
      const isAllowed = this.#rates.take(from.host, 1, now) && this.#totalRate.take(1, now);
      if (isAllowed) this.#answer(datagram, from, now);
      return true;
    }
    const transaction = transactionOfAnswer(datagram);
    if (transaction === undefined) return false;
    const pending = this.#pending.get(transaction);
    const key = addressKey(from);
    if (pending?.to !== key) return false;
    this.#pending.delete(transaction);
    const answer = parseReportAnswer(datagram);
    if (answer === undefined) return true;
    putLatest(this.#given, key, answer.token, MAX_REPORT_TOKENS);
    pending.onAnswer(answer);
    return true;
  }

  /** Without a valid token nothing is taken in: the answer is a token for the address that the query names as its source. */
  #answer(datagram: Uint8Array, from: PeerAddress, now: number): void {
    const { nodeId, send } = this.#options;
    const query = parseReport(datagram);
    if (query === undefined) return;
    const { report, token, transaction } = query;
    const hasProof = token !== undefined && this.#tokens.isValid(token, from.host, now);
    const needy = this.#take(report, from.host, hasProof);
    if (needy === undefined) return;
    const answer = {
      intervalMs: hasProof ? this.#pace.next(now) : this.#pace.peek(now),
      needy: hasProof ? needy : undefined,
      token: this.#tokens.make(from.host, now),
    };
    const bytes = encodeReportAnswer(transaction, answer, nodeId(), datagram.length);
    if (bytes !== undefined) send(bytes, from);
  }
}

/** A Map keeps the order of insertion, so its first key is the oldest. */
function putLatest<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}
