import { expect, test } from "bun:test";
import { encodeBencode } from "../../src/core/format/bencode.ts";
import { infoHashOf } from "../../src/core/torrent/ids.ts";
import { MAX_METADATA_LENGTH } from "../../src/core/format/limits.ts";
import { MAX_METADATA_REQUESTS_SERVED, METADATA_PIECE_LENGTH } from "../../src/wire/limits.ts";
import { MAX_OUTPUT_BUFFER } from "../../src/session/peer/limits.ts";
import type { PeerFault } from "../../src/core/torrent/peer-message.ts";
import { concatBytes } from "../../src/lib/bytes.ts";
import { sha1 } from "../../src/lib/sha1.ts";
import { connectedPair, exchange, extendedFrame, endAfterHandshake, text, type WireEnd } from "./wire-end.ts";

/** An info dict of about `length` bytes. */
function infoDict(length: number): Uint8Array {
  const pieces = crypto.getRandomValues(new Uint8Array(Math.min(length, 60_000)));
  const all = new Uint8Array(length);
  for (let at = 0; at < length; at += pieces.length) all.set(pieces.subarray(0, length - at), at);
  return encodeBencode({ length: 1, name: "x", "piece length": 16384, pieces: all });
}

const small = infoDict(40_000);
const smallHash = infoHashOf(sha1(small));
/** Three metadata pieces. */
const pieceOf = (raw: Uint8Array, piece: number) =>
  raw.slice(piece * METADATA_PIECE_LENGTH, (piece + 1) * METADATA_PIECE_LENGTH);

function data(piece: number, payload: Uint8Array, totalSize = small.length): Uint8Array {
  return extendedFrame(
    1,
    concatBytes([text(`d8:msg_typei1e5:piecei${piece}e10:total_sizei${totalSize}ee`), payload]),
  );
}

/** A wire that fetches from a scripted peer which offers metadata of `size` bytes under its message id 3. */
function fetching(size: number | string = small.length): {
  end: WireEnd;
  outcome: Promise<Uint8Array | undefined>;
} {
  const end = endAfterHandshake({ infoHash: smallHash, geometry: false });
  end.wire.receive(extendedFrame(0, `d1:md11:ut_metadatai3ee13:metadata_sizei${size}ee`));
  return { end, outcome: end.wire.fetchMetadata() };
}

async function verdict(...frames: Uint8Array[]): Promise<[PeerFault | undefined, Uint8Array | undefined]> {
  const { end, outcome } = fetching();
  end.wire.receive(concatBytes(frames));
  end.wire.close();
  return [end.faults[0], await outcome];
}

test("PeerWire fetches metadata of any size from another without flooding it", async () => {
  for (const raw of [infoDict(3), small, infoDict(MAX_METADATA_LENGTH - 100)]) {
    const infoHash = infoHashOf(sha1(raw));
    const [a, b] = connectedPair({ infoHash }, { infoHash, infoDict: raw });
    expect(a.wire.offeredMetadataLength).toBe(raw.length);
    const outcome = a.wire.fetchMetadata();
    expect(exchange(a, b)).toBeLessThan(MAX_OUTPUT_BUFFER / 8);
    expect(Bun.SHA1.hash((await outcome)!, "hex")).toBe(infoHash);
    expect([a.faults, b.faults]).toEqual([[], []]);
  }
});

test("PeerWire offers metadata that it gets later to connected peers, and serves it", async () => {
  const [a, b] = connectedPair({ infoHash: smallHash }, { infoHash: smallHash });
  expect(a.wire.offeredMetadataLength).toBeUndefined();
  expect(await a.wire.fetchMetadata()).toBeUndefined();
  b.wire.setMetadata(small);
  exchange(a, b);
  expect(a.extendedHandshakes.at(-1)?.metadataSize).toBe(small.length);
  const outcome = a.wire.fetchMetadata();
  exchange(a, b);
  expect(await outcome).toEqual(small);
});

test("PeerWire sends metadata in bursts and goes on when the connection has drained", () => {
  const raw = infoDict(100 * METADATA_PIECE_LENGTH);
  const end = endAfterHandshake({ infoDict: raw });
  end.wire.receive(extendedFrame(0, "d1:md11:ut_metadatai3eee"));
  const ask = (piece: number) => extendedFrame(1, `d8:msg_typei0e5:piecei${piece}ee`);
  end.wire.receive(concatBytes(Array.from({ length: 100 }, (_, piece) => ask(piece))));
  let sent = 0;
  for (let round = 0; round < 7; round++) {
    const bytes = end.take().length;
    expect(bytes).toBeLessThan(300_000);
    sent += bytes;
    end.wire.drained();
  }
  expect(sent).toBeGreaterThan(100 * METADATA_PIECE_LENGTH);
  expect(end.take().length).toBe(0);
});

test("W19: PeerWire rejects requests for metadata that it lacks or that does not exist, and closes a peer that requests without end", () => {
  const lacking = endAfterHandshake();
  lacking.wire.receive(extendedFrame(0, "d1:md11:ut_metadatai3eee"));
  lacking.wire.receive(extendedFrame(1, "d8:msg_typei0e5:piecei0ee"));
  expect(lacking.take()).toEqual(extendedFrame(3, "d8:msg_typei2e5:piecei0ee"));

  const end = endAfterHandshake({ infoDict: small });
  end.wire.receive(extendedFrame(0, "d1:md11:ut_metadatai3eee"));
  for (const piece of [3, -1, 4294967296]) {
    end.wire.receive(extendedFrame(1, `d8:msg_typei0e5:piecei${piece}ee`));
    expect(end.take()).toEqual(extendedFrame(3, `d8:msg_typei2e5:piecei${piece}ee`));
  }
  for (let i = 3; i < MAX_METADATA_REQUESTS_SERVED; i++) {
    end.wire.receive(extendedFrame(1, "d8:msg_typei0e5:piecei1ee"));
    end.take();
  }
  expect(end.faults).toEqual([]);
  end.wire.receive(extendedFrame(1, "d8:msg_typei0e5:piecei1ee"));
  expect(end.faults).toEqual(["badMetadata"]);
});

test("W19: PeerWire ignores a metadata size beyond its limit", async () => {
  for (const size of [-1, 0, MAX_METADATA_LENGTH + 1, 2 ** 31, 2 ** 32 + 1, "9223372036854775808", "x"]) {
    const { end, outcome } = fetching(size);
    end.wire.close();
    expect(end.wire.offeredMetadataLength).toBeUndefined();
    expect(await outcome).toBeUndefined();
  }
});

test("PeerWire accepts metadata pieces in any order", async () => {
  expect(await verdict(...[2, 0, 1].map((piece) => data(piece, pieceOf(small, piece))))).toEqual([
    undefined,
    small,
  ]);
});

test("PeerWire accepts metadata messages with further keys, and ignores unknown types", async () => {
  const odd = concatBytes([
    text(`d1:ad1:bi1ee8:msg_typei1e5:piecei0e10:total_sizei${small.length}ee`),
    pieceOf(small, 0),
  ]);
  const frames = [extendedFrame(1, odd), data(1, pieceOf(small, 1)), data(2, pieceOf(small, 2))];
  expect(await verdict(extendedFrame(1, "d8:msg_typei9e5:piecei0ee"), ...frames)).toEqual([undefined, small]);
});

test("W19: PeerWire refuses metadata pieces out of range, of a wrong size or of another total size", async () => {
  const first = pieceOf(small, 0);
  const bad = [
    data(3, first),
    data(-1, first),
    data(100_000, first),
    data(0, first.subarray(1)),
    data(0, concatBytes([first, first])),
    data(2, first),
    data(0, first, small.length + 1),
    extendedFrame(1, "l-3:"),
    extendedFrame(1, "d8:msg_typei1ee"),
    extendedFrame(1, "i5e"),
  ];
  for (const frame of bad) expect(await verdict(frame)).toEqual(["badMetadata", undefined]);
});

test("W19: PeerWire ignores metadata pieces that are not requested or received already", async () => {
  const first = data(0, pieceOf(small, 0));
  expect(await verdict(first, first, first)).toEqual([undefined, undefined]);
  const idle = endAfterHandshake();
  idle.wire.receive(first);
  expect(idle.faults).toEqual([]);
});

test("PeerWire ends a fetch on a reject or a cancel, and can fetch again", async () => {
  expect(await verdict(extendedFrame(1, "d8:msg_typei2e5:piecei1ee"))).toEqual([undefined, undefined]);
  const { end, outcome } = fetching();
  end.wire.receive(data(0, pieceOf(small, 0)));
  end.wire.cancelMetadata();
  expect(await outcome).toBeUndefined();
  end.take();
  const again = end.wire.fetchMetadata();
  expect(end.take().length).toBeGreaterThan(0);
  for (const piece of [0, 1, 2]) end.wire.receive(data(piece, pieceOf(small, piece)));
  expect(await again).toEqual(small);
});

test("PeerWire repeats unanswered metadata requests, keeps received pieces and accepts each piece once", async () => {
  const end = endAfterHandshake({ infoHash: smallHash, geometry: false });
  end.wire.receive(extendedFrame(0, `d1:md11:ut_metadatai3ee13:metadata_sizei${small.length}ee`));
  const received: number[] = [];
  const outcome = end.wire.fetchMetadata((bytes) => received.push(bytes));
  end.wire.receive(data(1, pieceOf(small, 1)));
  end.take();
  const again = end.wire.fetchMetadata();
  const repeated = [0, 2].map((piece) => extendedFrame(3, `d8:msg_typei0e5:piecei${piece}ee`));
  expect(end.take()).toEqual(concatBytes(repeated));
  for (const piece of [0, 0, 2, 2]) end.wire.receive(data(piece, pieceOf(small, piece)));
  expect([await outcome, await again]).toEqual([small, small]);
  expect(received).toEqual([METADATA_PIECE_LENGTH, METADATA_PIECE_LENGTH]);
  expect(end.faults).toEqual([]);
});

test("PeerWire starts again when the peer offers metadata of another size", async () => {
  const { end, outcome } = fetching(small.length + 1);
  end.wire.receive(extendedFrame(0, `d1:md11:ut_metadatai3ee13:metadata_sizei${small.length}ee`));
  const again = end.wire.fetchMetadata();
  expect(await outcome).toBeUndefined();
  for (const piece of [0, 1, 2]) end.wire.receive(data(piece, pieceOf(small, piece)));
  expect(await again).toEqual(small);
});

test("B10: PeerWire refuses metadata whose hash is not the info hash", async () => {
  const wrong = small.slice();
  wrong[30_000] = 255 - (wrong[30_000] ?? 0);
  const frames = [0, 1, 2].map((piece) => data(piece, pieceOf(wrong, piece)));
  expect(await verdict(...frames)).toEqual(["hashMismatch", undefined]);
});

test("B1: PeerWire returns metadata that would hang the decoder undecoded when its hash is right", async () => {
  const evil = text("l-3:");
  const infoHash = infoHashOf(sha1(evil));
  const end = endAfterHandshake({ infoHash, geometry: false });
  end.wire.receive(extendedFrame(0, "d1:md11:ut_metadatai3ee13:metadata_sizei4ee"));
  const outcome = end.wire.fetchMetadata();
  end.wire.receive(data(0, evil, 4));
  expect(await outcome).toEqual(evil);
});

test("W19: PeerWire has at most eight metadata requests outstanding", () => {
  const end = endAfterHandshake({ geometry: false });
  end.wire.receive(extendedFrame(0, `d1:md11:ut_metadatai3ee13:metadata_sizei${MAX_METADATA_LENGTH}ee`));
  void end.wire.fetchMetadata();
  const sent = Buffer.from(end.take()).toString("latin1");
  expect(sent.match(/msg_typei0e/g)?.length).toBe(8);
});
