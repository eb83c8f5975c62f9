// The KRPC query `pf_report` of our own and its answer: how far a host is, told to a node that counts hosts. docs/BEPS.md describes both
// for others. Knows no socket and no token's making.
import {
  asDict,
  type BencodeInput,
  decodeBencode,
  dictBytes,
  dictDict,
  dictInteger,
  dictText,
  encodeBencode,
} from "../format/bencode.ts";
import { printable } from "../format/file-name.ts";
import { idBytes, type InfoHash, infoHashOf } from "../torrent/ids.ts";
import { present } from "../../lib/assert.ts";
import { fromHex, toHex } from "../../lib/bytes.ts";
import { FIRST_HAND_STATES, type FirstHandState } from "./first-hand-hosts.ts";
import {
  DESTINATION_ID_LENGTH,
  MAX_REPORT_INTERVAL_MS,
  MAX_REPORT_LENGTH,
  MAX_REPORT_TEXT_LENGTH,
  REPORT_TOKEN_LENGTH,
  REPORT_TRANSACTION_LENGTH,
  MAX_REPORT_BENCODE_DEPTH,
  MAX_REPORT_BENCODE_ITEMS,
} from "./limits.ts";

export interface Report {
  readonly infoHash: InfoHash;
  /** In hexadecimal digits. */
  readonly destination: string;
  readonly state: FirstHandState;
  /** Verified pieces, 0 to 1000 in a thousand. */
  readonly progress: number;
  /** The exit code of a host that failed, else 0. */
  readonly failure: number;
  /** For people; printable. */
  readonly text: string;
}

export interface ReportQuery {
  readonly transaction: Uint8Array;
  readonly report: Report;
  readonly token: Uint8Array | undefined;
}

/** `needy` is absent where the query had no valid token: nothing was taken in. */
export interface ReportAnswer {
  /** Until the next report. */
  readonly intervalMs: number;
  /** Destinations known to lack data, the sender's not counted. */
  readonly needy: number | undefined;
  readonly token: Uint8Array;
}

const limits = { maxDepth: MAX_REPORT_BENCODE_DEPTH, maxItems: MAX_REPORT_BENCODE_ITEMS };
const ID_LENGTH = 20;
const PERMILLE = 1000;
const MAX_FAILURE = 255;
const QUERY_MARK = new TextEncoder().encode("1:q9:pf_report1:t");
const ANSWER_END = new TextEncoder().encode("1:y1:re");
const TRANSACTION_HEAD = new TextEncoder().encode(`1:t${REPORT_TRANSACTION_LENGTH}:`);

/** `id`: our node's. */
export function encodeReport({ transaction, report, token }: ReportQuery, id: Uint8Array): Uint8Array {
  const args: Record<string, BencodeInput> = {
    id,
    info_hash: idBytes(report.infoHash),
    d: present(fromHex(report.destination)),
    s: FIRST_HAND_STATES.indexOf(report.state),
    p: report.progress,
  };
  if (report.failure > 0) args["f"] = report.failure;
  if (report.text !== "") args["x"] = cutText(report.text);
  if (token !== undefined) args["token"] = token;
  return encodeBencode({ a: args, q: "pf_report", t: transaction, y: "q" });
}

/** Tells by a search of bytes, before anything is decoded. */
export function looksLikeReport(datagram: Uint8Array): boolean {
  return (
    datagram.length <= MAX_REPORT_LENGTH &&
    Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length).includes(QUERY_MARK)
  );
}

/** @returns undefined unless every field that must be there is, and is in its range. */
export function parseReport(datagram: Uint8Array): ReportQuery | undefined {
  const message = datagram.length > MAX_REPORT_LENGTH ? undefined : asDict(decodeBencode(datagram, limits));
  const args = message && dictDict(message, "a");
  const transaction = message && dictBytes(message, "t");
  if (message === undefined || args === undefined || transaction === undefined) return undefined;
  if (dictText(message, "q") !== "pf_report" || transaction.length > ID_LENGTH) return undefined;
  const infoHash = dictBytes(args, "info_hash");
  const destination = dictBytes(args, "d");
  const state = FIRST_HAND_STATES[dictInteger(args, "s") ?? -1];
  const progress = within(dictInteger(args, "p"), PERMILLE);
  const failure = within(dictInteger(args, "f") ?? 0, MAX_FAILURE);
  if (infoHash?.length !== ID_LENGTH || destination?.length !== DESTINATION_ID_LENGTH) return undefined;
  if (dictBytes(args, "id")?.length !== ID_LENGTH) return undefined;
  if (state === undefined || progress === undefined || failure === undefined) return undefined;
  const text = printable(cutText(dictText(args, "x") ?? ""));
  const report = {
    infoHash: infoHashOf(infoHash),
    destination: toHex(destination),
    state,
    progress,
    failure,
    text,
  };
  return { transaction, report, token: dictBytes(args, "token") };
}

/** @returns undefined when the answer would be longer than the query, `queryLength` bytes: a forged source gets no more than was sent. */
export function encodeReportAnswer(
  transaction: Uint8Array,
  answer: ReportAnswer,
  id: Uint8Array,
  queryLength: number,
): Uint8Array | undefined {
  const reply: Record<string, BencodeInput> = { id, i: Math.ceil(answer.intervalMs), token: answer.token };
  if (answer.needy !== undefined) reply["n"] = answer.needy;
  const bytes = encodeBencode({ r: reply, t: transaction, y: "r" });
  return bytes.length <= queryLength ? bytes : undefined;
}

/** The transaction id that a reply to a report ends with, in hexadecimal digits, before anything is decoded. */
export function transactionOfAnswer(datagram: Uint8Array): string | undefined {
  const idAt = datagram.length - ANSWER_END.length - REPORT_TRANSACTION_LENGTH;
  const headAt = idAt - TRANSACTION_HEAD.length;
  if (headAt < 0 || datagram.length > MAX_REPORT_LENGTH) return undefined;
  const isAnswer =
    matches(datagram, ANSWER_END, idAt + REPORT_TRANSACTION_LENGTH) &&
    matches(datagram, TRANSACTION_HEAD, headAt);
  return isAnswer ? toHex(datagram.subarray(idAt, idAt + REPORT_TRANSACTION_LENGTH)) : undefined;
}

/** @returns undefined unless it is an answer with a token and an interval. */
export function parseReportAnswer(datagram: Uint8Array): ReportAnswer | undefined {
  const message = asDict(decodeBencode(datagram, limits));
  const reply = message && dictDict(message, "r");
  const token = reply && dictBytes(reply, "token");
  const intervalMs = reply && dictInteger(reply, "i");
  if (reply === undefined || token?.length !== REPORT_TOKEN_LENGTH) return undefined;
  if (intervalMs === undefined || intervalMs < 0) return undefined;
  const needy = dictInteger(reply, "n");
  if (needy !== undefined && needy < 0) return undefined;
  return { intervalMs: Math.min(intervalMs, MAX_REPORT_INTERVAL_MS), needy, token: token.slice() };
}

/** At most MAX_REPORT_TEXT_LENGTH bytes of UTF-8, cut between characters. */
function cutText(text: string): string {
  const bytes = new Uint8Array(MAX_REPORT_TEXT_LENGTH);
  const { read } = new TextEncoder().encodeInto(text.toWellFormed(), bytes);
  return text.toWellFormed().slice(0, read);
}

function within(value: number | undefined, max: number): number | undefined {
  return value !== undefined && value >= 0 && value <= max ? value : undefined;
}

function matches(bytes: Uint8Array, part: Uint8Array, at: number): boolean {
  return part.every((byte, index) => bytes[at + index] === byte);
}
