// The framing of the peer wire: the same units for any cuts, and every fault at the first byte that shows it, so that no
// illegal frame is buffered.
import type { PeerFault } from "../../../src/core/torrent/peer-message.ts";
import { bytesEqual, concatBytes } from "../../../src/lib/bytes.ts";
import { type FrameHandler, FrameReader } from "../../../src/wire/frame-reader.ts";
import { cut, randomOf } from "../engine/cuts.ts";
import { defineTarget, promise } from "../engine/target.ts";
import { readStream, type ReferenceStream } from "../oracles/frame-reference.ts";
import { uint32, WIRE_LENGTH, wireNumbers, wireSeries, wireTokens } from "./wire-input.ts";

interface Reader {
  receive(chunk: Uint8Array): PeerFault | undefined;
  stop(): void;
}

type Subject = (handler: FrameHandler) => Reader;

const subject: Subject = (handler) => new FrameReader(handler);

function check(open: Subject, stream: Uint8Array): string {
  const expected = readStream(stream);
  const random = randomOf(stream);
  checkRun(open, expected, (take) => take(stream.slice(), stream.length));
  for (let round = stream.length < 1000 ? 4 : 1; round > 0; round--) {
    checkRun(open, expected, (take) => cut(stream, random, take));
  }
  checkStop(open, stream, Math.floor(random() * (expected.units.length + 1)));
  const ids = new Set(expected.units.map(({ type, bytes }) => (type === "frame" ? bytes[0] : type)));
  return `${[...ids].sort().join()} ${expected.fault?.reason ?? ""}`;
}

type Feed = (take: (chunk: Uint8Array, end: number) => void) => void;

/** Compares with the reference after every chunk. */
function checkRun(open: Subject, { units, fault }: ReferenceStream, feed: Feed): void {
  let count = 0;
  let faults = 0;
  const expectNext = (type: string, bytes: Uint8Array): void => {
    const unit = units[count++];
    promise(faults === 0, "no call follows the fault");
    promise(unit?.type === type, `unit ${count} is a ${unit?.type}, not a ${type}`);
    promise(
      unit !== undefined && bytesEqual(unit.bytes, bytes),
      `unit ${count} has the bytes that were sent`,
    );
  };
  const reader = open({
    handshake: (bytes) => expectNext("handshake", bytes),
    frame: (bytes) => expectNext("frame", bytes),
    block: (piece, begin, payload) => {
      expectNext("block", concatBytes([Uint8Array.of(7), uint32(piece), uint32(begin), payload]));
    },
  });
  feed((chunk, end) => {
    const reported = reader.receive(chunk);
    if (reported !== undefined) faults++;
    const due = fault !== undefined && fault.end <= end;
    promise(
      faults === (due ? 1 : 0),
      `${faults} faults after ${end} bytes, ${due ? "one" : "none"} expected`,
    );
    promise(
      reported === undefined || reported === fault?.reason,
      `the fault is ${reported}, not ${fault?.reason}`,
    );
    promise((units[count]?.end ?? Infinity) > end, `unit ${count + 1} is whole after ${end} bytes`);
    promise(count === 0 || (units[count - 1]?.end ?? Infinity) <= end, `unit ${count} is not whole yet`);
  });
}

/** A reader that is stopped within a call makes no further call, not even for the rest of the chunk. */
function checkStop(open: Subject, stream: Uint8Array, after: number): void {
  let calls = 0;
  const onCall = (): void => {
    if (++calls === after) reader.stop();
  };
  const reader = open({ handshake: onCall, frame: onCall, block: onCall });
  const fault = reader.receive(stream);
  if (after === 0 || calls < after) return;
  promise(calls === after && fault === undefined, "a stopped reader makes no call");
  promise(reader.receive(stream) === undefined && calls === after, "a stopped reader makes no later call");
}

/** A subject with a modified reader. */
function planted(change: (reader: FrameReader, chunk: Uint8Array) => PeerFault | undefined): Subject {
  return (handler) => {
    const reader = new FrameReader(handler);
    return { receive: (chunk) => change(reader, chunk), stop: () => reader.stop() };
  };
}

function without(fault: PeerFault): Subject {
  return planted((reader, chunk) => {
    const reported = reader.receive(chunk);
    return reported === fault ? undefined : reported;
  });
}

export const frameReaderTarget = defineTarget({
  name: "frame-reader",
  runs: 10_000,
  maxLength: WIRE_LENGTH,
  tokens: wireTokens,
  numbers: wireNumbers,
  series: wireSeries,
  subject,
  check,
  accepts: (input) => {
    const { units, fault } = readStream(input);
    return fault === undefined && units.length > 0;
  },
  planted: {
    "a frame of any length is waited for": without("frameTooLong"),
    "a have of four bytes is waited for": without("badFrameLength"),
    "a chunk of three bytes is lost": planted((reader, chunk) =>
      chunk.length === 3 ? undefined : reader.receive(chunk),
    ),
    "a fault is reported again": planted((reader, chunk) => {
      const reported = reader.receive(chunk);
      return reported === undefined && chunk.length > 100 && reader.receive(Uint8Array.of(1)) !== undefined
        ? "badMessage"
        : reported;
    }),
    "an index beyond 2^31 throws": (handler) =>
      new FrameReader({
        ...handler,
        frame: (bytes) => {
          if (bytes.length === 5 && (bytes[1] ?? 0) >= 0x80) throw new RangeError("index");
          handler.frame(bytes);
        },
      }),
    "frames are handed on as views that live too long": (handler) => {
      let kept: Uint8Array = new Uint8Array(0);
      return new FrameReader({
        ...handler,
        frame: (bytes) => {
          // Passes the previous view on, as a listener that keeps its view would see it.
          const late = kept;
          kept = bytes;
          handler.frame(late.length === bytes.length ? late : bytes);
        },
      });
    },
  },
});
