import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { MAX_BLOCK_FRAME_LENGTH, MAX_EXTENDED_FRAME_LENGTH } from "../../src/wire/limits.ts";
import { concatBytes } from "../../src/lib/bytes.ts";
import { FrameReader } from "../../src/wire/frame-reader.ts";
import { frame, handshakeBytes, text, uint32 } from "./wire-end.ts";

/** Feeds `stream`, cut at `cuts`. @returns every call of the handler and the fault, in order. */
function read(stream: Uint8Array, cuts: readonly number[] = []): string[] {
  const log: string[] = [];
  const reader = new FrameReader({
    handshake: (bytes) => void log.push(`handshake ${bytes.toHex()}`),
    frame: (bytes) => void log.push(`frame ${bytes.toHex()}`),
    block: (piece, begin, payload) => void log.push(`block ${piece} ${begin} ${payload.toHex()}`),
  });
  const edges = [0, ...[...cuts].toSorted((a, b) => a - b), stream.length];
  for (let i = 1; i < edges.length; i++) {
    // Each chunk is a copy, so that a view that is kept too long shows.
    const chunk = stream.slice(edges[i - 1], edges[i]);
    const fault = reader.receive(chunk);
    if (fault !== undefined) log.push(`fault ${fault}`);
    chunk.fill(0xee);
  }
  return log;
}

/** The fault of a stream that begins after the handshake. */
function verdict(...parts: Uint8Array[]): string | undefined {
  return read(concatBytes([handshakeBytes(), ...parts])).at(-1);
}

const anyFrame = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(frame(0), frame(2), uint32(0), frame(4, uint32(3)), frame(14)) },
  {
    weight: 3,
    arbitrary: fc.uint8Array({ minLength: 9, maxLength: 400, size: "max" }).map((body) => frame(7, body)),
  },
  {
    weight: 2,
    arbitrary: fc.uint8Array({ minLength: 1, maxLength: 600, size: "max" }).map((body) => frame(20, body)),
  },
  { weight: 2, arbitrary: fc.uint8Array({ minLength: 12, maxLength: 12 }).map((body) => frame(6, body)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 20 }))
      .map(([id, body]) => frame(id, body)),
  },
);

const anyStream = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.constant(handshakeBytes()) }, fc.uint8Array()),
    fc.array(anyFrame, { maxLength: 20, size: "max" }),
  )
  .map(([handshake, frames]) => concatBytes([handshake, ...frames]));

test("FrameReader makes the same calls and reports the same fault for any cuts of the stream", () => {
  fc.assert(
    fc.property(
      anyStream,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
      (stream, at) => {
        const whole = read(stream);
        const cuts = at.map((part) => Math.floor(part * stream.length));
        expect(read(stream, cuts)).toEqual(whole);
      },
    ),
    { numRuns: 1500 },
  );
});

test("FrameReader makes the same calls when the bytes come one by one", () => {
  fc.assert(
    fc.property(anyStream, (stream) => {
      expect(read(stream, [...stream.keys()])).toEqual(read(stream));
    }),
    { numRuns: 150 },
  );
});

test("FrameReader passes a payload of 128 KiB over many chunks", () => {
  const payload = crypto.getRandomValues(new Uint8Array(128 * 1024 - 7));
  const stream = concatBytes([handshakeBytes(), frame(7, concatBytes([uint32(1, 2), payload])), frame(1)]);
  const cuts = Array.from({ length: 130 }, (_, at) => at * 1000);
  expect(read(stream, cuts).slice(1)).toEqual([`block 1 2 ${payload.toHex()}`, "frame 01"]);
});

test("W1: FrameReader refuses another protocol at the first wrong byte", () => {
  const openings = [
    "GET / HTTP/1.1\r\n",
    "\u0016\u0003\u0001\u0002\u0000",
    "\u0013BitTorrent Protocol",
    "\u0012",
  ];
  for (const opening of openings) expect(read(text(opening))).toEqual(["fault badHandshake"]);
  expect(read(text("\u0013Bit"))).toEqual([]);
});

test("W3: FrameReader refuses a length beyond all limits after four bytes, whatever its sign", () => {
  for (const length of [0x80000000, 0xffffffff, 0x7fffffff, MAX_BLOCK_FRAME_LENGTH + 1]) {
    expect(verdict(uint32(length))).toBe("fault frameTooLong");
  }
  expect(verdict(uint32(MAX_BLOCK_FRAME_LENGTH))).toStartWith("handshake");
});

test("W4: FrameReader refuses a wrong length for the id after five bytes", () => {
  const wrong: [length: number, id: number, fault: string][] = [
    [2, 0, "badFrameLength"],
    [2, 3, "badFrameLength"],
    [4, 4, "badFrameLength"],
    [6, 4, "badFrameLength"],
    [1, 5, "badFrameLength"],
    [32770, 5, "frameTooLong"],
    [12, 6, "badFrameLength"],
    [14, 6, "badFrameLength"],
    [9, 7, "badFrameLength"],
    [12, 8, "badFrameLength"],
    [2, 9, "badFrameLength"],
    [1, 13, "badFrameLength"],
    [5, 14, "badFrameLength"],
    [2, 15, "badFrameLength"],
    [12, 16, "badFrameLength"],
    [1, 17, "badFrameLength"],
    [1, 20, "badFrameLength"],
    [MAX_EXTENDED_FRAME_LENGTH + 1, 20, "frameTooLong"],
    [128 * 1024 + 1, 99, "frameTooLong"],
  ];
  for (const [length, id, fault] of wrong) {
    expect([id, verdict(concatBytes([uint32(length), Uint8Array.of(id)]))]).toEqual([id, `fault ${fault}`]);
  }
});

test("FrameReader reports one fault and ignores the rest", () => {
  expect(read(concatBytes([handshakeBytes(), uint32(0xffffffff), frame(1)]), [70, 73, 75]).slice(1)).toEqual([
    "fault frameTooLong",
  ]);
});

test("FrameReader makes no call after stop, even within a chunk", () => {
  const calls: string[] = [];
  const reader = new FrameReader({
    handshake: () => void calls.push("handshake"),
    frame: () => {
      calls.push("frame");
      reader.stop();
    },
    block: () => void calls.push("block"),
  });
  expect(
    reader.receive(concatBytes([handshakeBytes(), frame(1), frame(1), uint32(0xffffffff)])),
  ).toBeUndefined();
  expect(reader.receive(frame(1))).toBeUndefined();
  expect(calls).toEqual(["handshake", "frame"]);
});
