// The metadata exchange of one connection (BEP 9) in both directions, as a series of payloads: the first byte of a part is its
// type, an extension handshake or a ut_metadata message.
import { encodeBencode } from "../../../src/core/format/bencode.ts";
import { parseExtendedHandshake } from "../../../src/core/format/extended-handshake.ts";
import {
  MAX_EXTENDED_FRAME_LENGTH,
  MAX_METADATA_REQUESTS_QUEUED,
  MAX_METADATA_REQUESTS_SERVED,
  METADATA_PIECE_LENGTH,
  METADATA_REQUEST_WINDOW,
  METADATA_SEND_BURST,
} from "../../../src/wire/limits.ts";
import { MAX_METADATA_LENGTH } from "../../../src/core/format/limits.ts";
import { bytesEqual } from "../../../src/lib/bytes.ts";
import { sha1 } from "../../../src/lib/sha1.ts";
import { MetadataExchange } from "../../../src/wire/metadata-exchange.ts";
import { MetadataMessageType, parseMetadataMessage } from "../../../src/wire/metadata-message.ts";
import { randomOf } from "../engine/cuts.ts";
import { defineTarget, promise } from "../engine/target.ts";
import { packetSeries } from "./packet-series.ts";

type Exchange = Pick<
  MetadataExchange,
  "offer" | "offeredSize" | "fetch" | "receive" | "setMetadata" | "drained" | "cancel"
>;
type Subject = (send: (payload: Uint8Array) => void) => Exchange;

/** The metadata of the peers in the corpus: two pieces. */
const THEIRS = encodeBencode({ a: new Uint8Array(METADATA_PIECE_LENGTH).fill(0x61) });
const THEIR_HASH = sha1(THEIRS);
/** Our metadata: three pieces. */
const OURS = encodeBencode({ pieces: new Uint8Array(2 * METADATA_PIECE_LENGTH).fill(0x70) });
const HANDSHAKE = 0;
/** Fetches in one connection: each allocates the offered size, and a session makes one in seconds. */
const MAX_FETCHES = 4;

async function check(open: Subject, input: Uint8Array): Promise<string> {
  const random = randomOf(input);
  const behaviour = new Set<string>();
  const sent: Uint8Array[] = [];
  const exchange = open((payload) => sent.push(payload.slice()));
  if (random() < 0.7) exchange.setMetadata(OURS);
  const drains = random() < 0.5;
  const fetched: Promise<void>[] = [];
  let asked = 0;
  /** Sent since the connection was last empty. */
  let pieces = 0;
  for (const part of packetSeries.split(input)) {
    if (part[0] === HANDSHAKE) {
      const offered = parseExtendedHandshake(part.subarray(1));
      exchange.offer(offered?.metadataSize);
      const size = exchange.offeredSize;
      promise(size === undefined || (size >= 1 && size <= MAX_METADATA_LENGTH), `an offer of ${size} bytes`);
      asked = 0;
      if (fetched.length === MAX_FETCHES) continue;
      fetched.push(
        exchange.fetch(THEIR_HASH).then((raw) => {
          promise(raw === undefined || bytesEqual(raw, THEIRS), "metadata has the right hash");
          behaviour.add(raw === undefined ? "no metadata" : "metadata");
        }),
      );
      checkRequests(sent, METADATA_REQUEST_WINDOW);
    } else {
      const answered = parseMetadataMessage(part.subarray(1));
      // The caller uses the buffer again.
      const payload = part.slice(1);
      const fault = exchange.receive(payload);
      payload.fill(0xa5);
      behaviour.add(fault ?? `type ${answered?.type ?? "none"}`);
      if (answered !== undefined && answered.type !== MetadataMessageType.request) asked++;
      pieces = checkAnswers(sent) + (drains ? 0 : pieces);
      promise(pieces <= (drains ? 1 : METADATA_SEND_BURST), `${pieces} pieces in one burst`);
      if (fault !== undefined) break;
    }
    if (drains) exchange.drained();
    checkRequests(sent, METADATA_REQUEST_WINDOW + asked);
    sent.length = 0;
  }
  exchange.cancel();
  await Promise.all(fetched);
  return [...behaviour].sort().join();
}

/** Checks our requests: no more than the window at once, plus one for each answer. */
function checkRequests(sent: readonly Uint8Array[], most: number): void {
  const requests = sent.filter(
    (payload) => parseMetadataMessage(payload)?.type === MetadataMessageType.request,
  );
  promise(requests.length <= most, `${requests.length} requests at once`);
}

/** Checks our answers: whole messages and right pieces of the metadata. @returns the number of pieces. */
function checkAnswers(sent: readonly Uint8Array[]): number {
  let pieces = 0;
  for (const payload of sent) {
    const message = parseMetadataMessage(payload);
    promise(message !== undefined, "what is sent is a message");
    if (message.type !== MetadataMessageType.data) continue;
    pieces++;
    const begin = message.piece * METADATA_PIECE_LENGTH;
    const piece = OURS.subarray(begin, begin + METADATA_PIECE_LENGTH);
    promise(
      piece.length > 0 && bytesEqual(message.payload, piece),
      `piece ${message.piece} is served as it is`,
    );
    promise(message.totalSize === OURS.length, "the size is sent with the piece");
  }
  return pieces;
}

const subject: Subject = (send) => new MetadataExchange(send);

export const metadataExchangeTarget = defineTarget({
  name: "metadata-exchange",
  runs: 3_000,
  maxLength: MAX_EXTENDED_FRAME_LENGTH,
  tokens: [
    "\0d1:md11:ut_metadatai3ee13:metadata_sizei16394ee",
    "\x01d8:msg_typei0e5:piecei0ee",
    "\x01d8:msg_typei1e5:piecei0e10:total_sizei16394ee",
    "\x01d8:msg_typei2e5:piecei0ee",
    "i-1e",
    "i3e",
    "4:testi1e",
    "ee",
  ],
  numbers: [
    MAX_METADATA_LENGTH,
    METADATA_PIECE_LENGTH,
    THEIRS.length,
    OURS.length,
    MAX_METADATA_REQUESTS_QUEUED,
    MAX_METADATA_REQUESTS_SERVED,
    2 ** 32 + 1,
  ],
  series: packetSeries,
  subject,
  check,
  accepts: (input) => packetSeries.split(input).length > 0,
  planted: {
    "a size of 2^32 and more is cut": (send) => {
      const exchange = new MetadataExchange(send);
      return wrapped(exchange, {
        offer: (size) => exchange.offer(size === MAX_METADATA_LENGTH ? size + 1 : size),
      });
    },
    "a large piece number is a crash": (send) => {
      const exchange = new MetadataExchange(send);
      return wrapped(exchange, {
        receive: (payload) => {
          if ((parseMetadataMessage(payload)?.piece ?? 0) > 3) throw new RangeError("offset");
          return exchange.receive(payload);
        },
      });
    },
    "an offset is one off": (send) =>
      new MetadataExchange((payload) => {
        const message = parseMetadataMessage(payload);
        const isData = message?.type === MetadataMessageType.data && message.piece === 2;
        send(isData ? payload.subarray(0, -1) : payload);
      }),
    "the hash is not looked at": (send) => {
      const exchange = new MetadataExchange(send);
      return wrapped(exchange, {
        fetch: async (hash) =>
          (await exchange.fetch(hash)) ?? (lied ? new Uint8Array(THEIRS.length) : undefined),
        receive: (payload) => {
          const fault = exchange.receive(payload);
          lied = fault === "hashMismatch";
          return fault;
        },
      });
    },
  },
});

let lied = false;

function wrapped(exchange: MetadataExchange, changed: Partial<Exchange>): Exchange {
  return {
    offer: (size) => exchange.offer(size),
    get offeredSize() {
      return exchange.offeredSize;
    },
    fetch: (hash) => exchange.fetch(hash),
    receive: (payload) => exchange.receive(payload),
    setMetadata: (raw) => exchange.setMetadata(raw),
    drained: () => exchange.drained(),
    cancel: () => exchange.cancel(),
    ...changed,
  };
}
