// PeerWire with the unguarded libraries, as other clients use them.
import { expect, test } from "bun:test";
import Wire from "bittorrent-protocol";
import utMetadata, { type UtMetadata } from "ut_metadata";
import { encodeBencode } from "../../src/core/format/bencode.ts";
import { infoHashOf } from "../../src/core/torrent/ids.ts";
import { sha1 } from "../../src/lib/sha1.ts";
import { GEOMETRY, peerId, WireEnd } from "./wire-end.ts";

const info = encodeBencode({
  length: 1,
  name: "x",
  "piece length": 16384,
  pieces: new Uint8Array(50_000).fill(3),
});
const infoHash = infoHashOf(sha1(info));
const block = GEOMETRY.block(GEOMETRY.piece(2)!, 1);

/** The members that the real Wire inherits from its stream. */
interface StreamWire extends Wire {
  on(name: "data", listener: (bytes: Uint8Array) => void): this;
  on(
    name: "request",
    listener: (i: number, b: number, l: number, respond: (e: null, d: Uint8Array) => void) => void,
  ): this;
  on(name: "handshake", listener: () => void): this;
  write(bytes: Uint8Array): boolean;
  request(i: number, b: number, l: number, callback: (error: Error | null, bytes: Uint8Array) => void): void;
  ut_metadata: UtMetadata;
}

/** Carries bytes until the streams of the library are idle. */
async function settle(ours: WireEnd, theirs: StreamWire, fromThem: Uint8Array[]): Promise<void> {
  for (let quiet = 0; quiet < 10; quiet++) {
    const bytes = ours.take();
    if (bytes.length > 0) {
      theirs.write(bytes);
      ours.wire.drained();
    }
    for (const chunk of fromThem.splice(0)) ours.wire.receive(chunk);
    if (bytes.length > 0 || fromThem.length > 0) quiet = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function meet(direction: "incoming" | "outgoing", theirInfo?: Uint8Array, ourInfo?: Uint8Array) {
  const ours = new WireEnd({ direction, infoHash, infoDict: ourInfo });
  const theirs = new Wire(direction === "incoming" ? "tcpOutgoing" : "tcpIncoming") as StreamWire;
  const fromThem: Uint8Array[] = [];
  theirs.on("data", (bytes) => void fromThem.push(bytes));
  theirs.use(utMetadata(theirInfo));
  const sendHandshake = (): void => theirs.handshake(infoHash, peerId(9), { dht: true, fast: true });
  if (direction === "incoming") sendHandshake();
  else theirs.on("handshake", sendHandshake);
  return { ours, theirs, run: () => settle(ours, theirs, fromThem) };
}

for (const direction of ["incoming", "outgoing"] as const) {
  test(`PeerWire (${direction}) exchanges blocks with a plain bittorrent-protocol Wire`, async () => {
    const { ours, theirs, run } = meet(direction);
    await run();
    expect(ours.handshakes[0]?.peerId).toBe(peerId(9));
    ours.wire.setGeometry(GEOMETRY);
    ours.wire.send({ type: "haveAll" });
    ours.wire.send({ type: "unchoke" });
    theirs.bitfield(Uint8Array.of(0xff, 0xc0));
    theirs.unchoke();
    await run();
    const payload = crypto.getRandomValues(new Uint8Array(block.length));
    theirs.on("request", (_index, _begin, _length, respond) => respond(null, payload));
    ours.wire.send({ type: "request", block });
    let answer: Uint8Array | undefined;
    theirs.request(block.piece, block.begin, block.length, (_error, bytes) => {
      answer = bytes;
    });
    await run();
    expect(ours.messages.map((message) => message.type)).toEqual(["bitfield", "unchoke", "request"]);
    expect(ours.blocks).toEqual([{ block, payload }]);
    ours.wire.sendBlock(block, payload);
    await run();
    expect(new Uint8Array(answer!)).toEqual(payload);
    expect(ours.faults).toEqual([]);
  });
}

test("PeerWire fetches metadata from a plain ut_metadata", async () => {
  const { ours, run } = meet("outgoing", info);
  await run();
  expect(ours.wire.offeredMetadataLength).toBe(info.length);
  const outcome = ours.wire.fetchMetadata();
  await run();
  expect(await outcome).toEqual(info);
});

test("PeerWire serves metadata to a plain ut_metadata", async () => {
  const { theirs, run } = meet("incoming", undefined, info);
  let got: Uint8Array | undefined;
  theirs.ut_metadata.on("metadata", () => {
    got = theirs.ut_metadata.metadata;
  });
  theirs.ut_metadata.fetch();
  await run();
  expect(got).toEqual(info);
});
