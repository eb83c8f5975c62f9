// A whole connection: framing, the library behind its guard, extensions, metadata in both directions. For any cuts the events
// and the answers are the same; events are checked, and answers are bounded.
import { encodeBencode } from "../../../src/core/format/bencode.ts";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { infoHashOf, peerIdOf } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import { MAX_OUTPUT_BUFFER } from "../../../src/session/peer/limits.ts";
import { METADATA_PIECE_LENGTH, METADATA_SEND_BURST } from "../../../src/wire/limits.ts";
import type { PeerMessage } from "../../../src/core/torrent/peer-message.ts";
import { assertNever } from "../../../src/lib/assert.ts";
import { sha1 } from "../../../src/lib/sha1.ts";
import { PeerWire, type PeerWireOptions } from "../../../src/wire/peer-wire.ts";
import { cut, randomOf } from "../engine/cuts.ts";
import { defineTarget, promise } from "../engine/target.ts";
import { readStream } from "../oracles/frame-reference.ts";
import { CountingSink } from "./counting-sink.ts";
import { WIRE_LENGTH, wireNumbers, wireSeries, wireTokens } from "./wire-input.ts";

type Wire = Pick<
  PeerWire,
  | "receive"
  | "handshake"
  | "setGeometry"
  | "setMetadata"
  | "fetchMetadata"
  | "offeredMetadataLength"
  | "send"
  | "sendKeepAlive"
  | "close"
  | "drained"
>;
type Subject = (options: PeerWireOptions) => Wire;

const subject: Subject = (options) => new PeerWire(options);
/** Ten pieces of two blocks; the last is short. */
const GEOMETRY = new Geometry(9 * 2 * BLOCK_LENGTH + 1000, 2 * BLOCK_LENGTH);
/** Our metadata: three pieces. */
const OUR_METADATA = encodeBencode({ pieces: new Uint8Array(2 * METADATA_PIECE_LENGTH + 20) });
/** The metadata of the peers in the corpus, so that a fetch can succeed. */
const THEIR_METADATA = encodeBencode({ pieces: new Uint8Array(100).fill(0x6d), "piece length": 1 });
const INFO_HASH = infoHashOf(sha1(THEIR_METADATA));
const OUR_ID = peerIdOf(new Uint8Array(20).fill(1));
const EXTENSIONS = ["ut_pex"];
/** Fetches in one connection: each allocates the offered size, and a session makes one in seconds. */
const MAX_FETCHES = 4;

interface Plan {
  /** Bytes of the stream after which the metadata is known; beyond its end means never. */
  readonly geometryAt: number;
  /** Metadata is fetched whenever the peer offers it. */
  readonly fetches: boolean;
  /** We have the metadata. */
  readonly serves: boolean;
}

class Conversation {
  readonly log: string[] = [];
  readonly sink = new CountingSink();
  readonly #wire: Wire;
  readonly #plan: Plan;
  readonly #fetched: Promise<string>[] = [];
  #at = 0;
  #faults = 0;

  constructor(open: Subject, plan: Plan) {
    this.#plan = plan;
    this.#wire = open({
      direction: "incoming",
      sink: this.sink,
      extensions: EXTENSIONS,
      events: {
        handshake: ({ infoHash, peerId, ...flags }) => {
          this.#note(`handshake ${infoHash} ${peerId} ${JSON.stringify(flags)}`);
          promise(infoHash.length === 40 && peerId.length === 40, "ids have 40 digits");
          this.#wire.handshake(INFO_HASH, OUR_ID);
        },
        message: (message) => this.#note(described(message)),
        block: (block, payload) => {
          promise(block.length === payload.length, "a block has the length of its payload");
          promise(GEOMETRY.isServable(block, MAX_REQUEST_LENGTH), "a block lies inside the file");
          this.#note(`block ${block.piece} ${block.begin} ${Bun.hash.crc32(payload)}`);
        },
        extendedHandshake: ({ extensions, ...fields }) => {
          this.#note(`extendedHandshake ${JSON.stringify([...extensions])} ${JSON.stringify(fields)}`);
          if (plan.fetches && this.#fetched.length < MAX_FETCHES) this.#fetch();
        },
        extended: (name, payload) => {
          promise(EXTENSIONS.includes(name), `an extension that we do not have: ${name}`);
          this.#note(`extended ${name} ${Bun.hash.crc32(payload)}`);
        },
        port: (port) => {
          promise(port >= 1 && port <= 65535, `port ${port}`);
          this.#note(`port ${port}`);
        },
        fault: (fault) => {
          this.#note(`fault ${fault}`);
          this.#faults++;
        },
      },
    });
    if (plan.serves) this.#wire.setMetadata(OUR_METADATA);
    if (plan.geometryAt === 0) this.#wire.setGeometry(GEOMETRY);
  }

  get isOver(): boolean {
    return this.#faults > 0;
  }

  /** `chunk` never reaches over the plan's moment. */
  receive(chunk: Uint8Array): void {
    this.#wire.receive(chunk);
    this.#at += chunk.length;
    if (chunk.length > 0 && this.#at === this.#plan.geometryAt) this.#wire.setGeometry(GEOMETRY);
    // Answers are about as long as the requests; metadata comes in bursts that wait for the connection.
    const bursts = METADATA_SEND_BURST * (METADATA_PIECE_LENGTH + 100);
    promise(
      this.sink.total <= 1000 + 2 * this.#at + bursts,
      `${this.sink.total} bytes of answers to ${this.#at}`,
    );
    promise(this.sink.total <= MAX_OUTPUT_BUFFER, "a whole conversation fits the output of a connection");
  }

  /** Our later messages are written, or dropped on a closed wire. */
  async end(): Promise<string> {
    const before = this.sink.total;
    const isHandshakeDone = this.log.length > 0 && !this.log[0]?.startsWith("fault");
    if (isHandshakeDone) {
      for (const type of ["unchoke", "interested", "choke", "haveNone"] as const) this.#wire.send({ type });
      this.#wire.sendKeepAlive();
    }
    promise(!this.isOver || this.sink.total === before, "a closed wire writes nothing");
    const offered = this.#wire.offeredMetadataLength;
    this.#wire.drained();
    this.#wire.close();
    const fetched = this.#fetched.length === 0 ? [] : await Promise.all(this.#fetched);
    return [...this.log, ...fetched, `offered ${offered}`, `sent ${this.sink.digest}`].join("\n");
  }

  /** Results of fetches come asynchronously: they are not part of the ordered events. */
  #fetch(): void {
    const fetched = this.#wire.fetchMetadata().then((raw) => {
      promise(raw === undefined || infoHashOf(sha1(raw)) === INFO_HASH, "metadata has the right hash");
      return raw === undefined ? "no-metadata" : "metadata";
    });
    this.#fetched.push(fetched);
  }

  #note(what: string): void {
    promise(this.#faults === 0, `after the fault: ${what}`);
    this.log.push(what);
  }
}

function described(message: PeerMessage): string {
  switch (message.type) {
    case "choke":
    case "unchoke":
    case "interested":
    case "notInterested":
    case "haveAll":
    case "haveNone":
      return message.type;
    case "have":
    case "suggest":
    case "allowedFast":
      promise(GEOMETRY.piece(message.piece) !== undefined, `piece ${message.piece} exists`);
      return `${message.type} ${message.piece}`;
    case "bitfield": {
      promise(
        message.bytes.length === Math.ceil(GEOMETRY.pieceCount / 8),
        "a bitfield has one bit for each piece",
      );
      const spare = 8 * message.bytes.length - GEOMETRY.pieceCount;
      promise(((message.bytes.at(-1) ?? 0) & ((1 << spare) - 1)) === 0, "spare bits are clear");
      return `bitfield ${message.bytes.toHex()}`;
    }
    case "request":
    case "cancel":
    case "reject":
    case "block": {
      const { piece, begin, length } = message.block;
      promise(GEOMETRY.piece(piece) !== undefined, `piece ${piece} exists`);
      promise(GEOMETRY.isServable(message.block, MAX_REQUEST_LENGTH), `${message.type} ${begin} ${length}`);
      return `${message.type} ${piece} ${begin} ${length}`;
    }
    default:
      return assertNever(message);
  }
}

async function check(open: Subject, stream: Uint8Array): Promise<string> {
  const random = randomOf(stream);
  const plan: Plan = {
    geometryAt: random() < 0.5 ? 0 : Math.floor(random() * stream.length * 1.5),
    fetches: random() < 0.5,
    serves: random() < 0.5,
  };
  const whole = await converse(open, plan, (take) => take(stream, stream.length));
  const inPieces = await converse(open, plan, (take) => cut(stream, random, take));
  promise(whole === inPieces, `the cuts make a difference:\n${whole}\n--- in pieces:\n${inPieces}`);
  const kinds = new Set(
    whole.split("\n").map((line) => (line.startsWith("fault") ? line : line.split(" ")[0])),
  );
  return [...kinds].sort().join();
}

type Feed = (take: (chunk: Uint8Array, end: number) => void) => void;

async function converse(open: Subject, plan: Plan, feed: Feed): Promise<string> {
  const conversation = new Conversation(open, plan);
  feed((chunk, end) => {
    const before = plan.geometryAt - (end - chunk.length);
    const isCut = before > 0 && before < chunk.length;
    for (const part of isCut ? [chunk.subarray(0, before), chunk.subarray(before)] : [chunk]) {
      conversation.receive(part);
    }
  });
  return conversation.end();
}

/** A subject whose wire receives modified bytes. */
function hearing(change: (chunk: Uint8Array) => Uint8Array): Subject {
  return (options) => {
    class Faulty extends PeerWire {
      override receive(chunk: Uint8Array): boolean {
        return super.receive(change(chunk));
      }
    }
    return new Faulty(options);
  };
}

export const peerWireTarget = defineTarget({
  name: "peer-wire",
  runs: 10_000,
  maxLength: WIRE_LENGTH,
  tokens: wireTokens,
  numbers: [...wireNumbers, GEOMETRY.pieceCount, GEOMETRY.pieceLength, BLOCK_LENGTH, OUR_METADATA.length],
  series: wireSeries,
  subject,
  check,
  accepts: (input) => readStream(input).fault === undefined,
  planted: {
    "a short chunk is read as zeros": hearing((chunk) => (chunk.length === 2 ? new Uint8Array(2) : chunk)),
    "an index beyond the end throws": (options) =>
      new PeerWire({
        ...options,
        events: {
          ...options.events,
          fault: (fault) => {
            if (fault === "badPieceIndex") throw new RangeError("no such piece");
            options.events.fault(fault);
          },
        },
      }),
    "an event follows the fault": (options) =>
      new PeerWire({
        ...options,
        events: {
          ...options.events,
          fault: (fault) => {
            options.events.fault(fault);
            if (fault === "unexpectedMessage") options.events.port(1);
          },
        },
      }),
    "a high port becomes none": (options) =>
      new PeerWire({
        ...options,
        events: { ...options.events, port: (port) => options.events.port(port > 20_000 ? 0 : port) },
      }),
    "a rejected request is answered at length": (options) =>
      new PeerWire({
        ...options,
        sink: {
          reserve: (length) => {
            if (length === 17) options.sink.reserve(MAX_OUTPUT_BUFFER / 8).fill(0);
            return options.sink.reserve(length);
          },
        },
      }),
  },
});
