// The runner over a content in memory: what its effects do to the file and to the peers, and what comes of the answers.
import { describe, expect, test } from "bun:test";
import { createMetainfo } from "../../../src/core/format/metainfo.ts";
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { assert } from "../../../src/lib/assert.ts";
import { DiskError } from "../../../src/lib/errors.ts";
import { startTransfer } from "../../../src/session/file/start-transfer.ts";
import { digestsOf, FakeContent } from "../fixtures/fake-content.ts";
import { FakeNode, type FakePeer, FakeSwarm } from "../fixtures/fake-network.ts";
import { promises } from "../../helpers/event-loop.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

const PIECE_LENGTH = 2 * BLOCK_LENGTH;
const CONTENT = crypto.getRandomValues(new Uint8Array(2 * PIECE_LENGTH));
const METAINFO = createMetainfo("model.bin", CONTENT.length, PIECE_LENGTH, digestsOf(CONTENT, PIECE_LENGTH));

/** Blocks are numbered through the file: two of each piece. */
const blockOf = (number: number): Block => ({
  piece: pieceIndex(Math.floor(number / 2)),
  begin: (number % 2) * BLOCK_LENGTH,
  length: BLOCK_LENGTH,
});
const offsetOf = (block: Block) => METAINFO.geometry.offsetOf(block);
const bytesOf = (number: number) => CONTENT.slice(number * BLOCK_LENGTH, (number + 1) * BLOCK_LENGTH);

class Fixture {
  readonly swarm = new FakeSwarm({
    infoHash: METAINFO.infoHash,
    infoDict: METAINFO.infoBytes,
    pinned: [],
    state: "source",
    destination: "00".repeat(8),
    hostsPerAddress: 1,
    onMetadata() {},
    onFirstPeer() {},
  });
  readonly content: FakeContent;
  readonly reported: string[] = [];
  readonly failures: Error[] = [];

  /** `have`: the pieces that are verified at the start. */
  constructor(have: readonly number[], disk = CONTENT.slice()) {
    this.content = new FakeContent(disk);
    const pieces = new Bitfield(2);
    for (const piece of have) pieces.set(piece);
    this.swarm.start(
      startTransfer({
        metainfo: METAINFO,
        content: this.content,
        have: pieces,
        clock: new VirtualClock(),
        node: new FakeNode(),
        swarm: this.swarm,
        onVerified: (piece) => this.reported.push(`verified ${piece}`),
        onCompleted: () => this.reported.push("completed"),
        onPieceFailed: (piece) => this.reported.push(`failed ${piece}`),
        onFailure: (error) => this.failures.push(error),
      }),
    );
  }

  /** A peer that wants data and is unchoked. */
  leecher(number = 1): FakePeer {
    const peer = this.swarm.join(number, { type: "interested" });
    assert(peer.hasHeard("unchoke"), "the peer is not unchoked");
    return peer;
  }

  ask(peer: FakePeer, number: number): void {
    this.swarm.receive(peer, { type: "request", block: blockOf(number) });
  }

  /** A peer that has all pieces and answers what it is asked, from this content. */
  seed(number: number, content = CONTENT): FakePeer {
    const peer = this.swarm.join(number, { type: "haveAll" }, { type: "unchoke" });
    this.swarm.deliver(peer, offsetOf, content);
    return peer;
  }
}

describe("a block that a peer asks for", () => {
  test("is sent at once when it is in memory", () => {
    const fixture = new Fixture([0, 1]);
    fixture.content.memory.set(BLOCK_LENGTH, bytesOf(1));
    const peer = fixture.leecher();
    fixture.ask(peer, 1);
    expect(peer.blocks).toEqual([{ block: blockOf(1), payload: bytesOf(1) }]);
    expect(fixture.content.loadCount).toBe(0);
  });

  test("is sent when the disk has answered", () => {
    const fixture = new Fixture([0, 1]);
    const peer = fixture.leecher();
    fixture.ask(peer, 2);
    expect([peer.blocks.length, fixture.content.loadCount]).toEqual([0, 1]);
    fixture.content.answerLoads();
    expect(peer.blocks).toEqual([{ block: blockOf(2), payload: bytesOf(2) }]);
  });

  test("C8: is refused while the content is suspended, in memory or not, and sent when it is asked for again later", () => {
    const fixture = new Fixture([0, 1]);
    fixture.content.memory.set(0, bytesOf(0));
    fixture.content.suspend();
    const peer = fixture.leecher();
    for (const number of [0, 1]) fixture.ask(peer, number);
    fixture.content.answerLoads();
    expect(peer.blocks).toEqual([]);
    expect(peer.messages.filter(({ type }) => type === "reject")).toHaveLength(2);
    expect(fixture.failures).toEqual([]);
    fixture.content.resume();
    fixture.ask(peer, 0);
    expect(peer.blocks).toHaveLength(1);
  });

  test("is loaded again when it is gone from memory, but not for a peer that has left", () => {
    const fixture = new Fixture([0, 1]);
    const peer = fixture.leecher();
    fixture.ask(peer, 0);
    fixture.content.dropsLoads = true;
    fixture.content.answerLoads();
    expect(fixture.content.loadCount).toBe(1);
    fixture.swarm.peers.delete(peer.handle);
    fixture.content.answerLoads();
    expect(fixture.content.loadCount).toBe(0);
    expect([peer.blocks, fixture.failures]).toEqual([[], []]);
  });

  test("P8: that the disk cannot read is refused, and ends the transfer with the disk's error, once", () => {
    const fixture = new Fixture([0, 1]);
    const peer = fixture.leecher();
    for (const number of [0, 1]) fixture.ask(peer, number);
    fixture.content.answerLoads(Object.assign(new Error("i/o error"), { code: "EIO" }));
    expect(peer.messages.filter(({ type }) => type === "reject")).toHaveLength(1);
    expect(fixture.failures).toHaveLength(1);
    expect(fixture.failures[0]).toBeInstanceOf(DiskError);
    expect(fixture.failures[0]?.message).toStartWith("/data/model.bin: reading or writing failed (EIO); ");
  });

  test("is not sent once the runner was stopped", () => {
    const fixture = new Fixture([0, 1]);
    const peer = fixture.leecher();
    fixture.ask(peer, 0);
    fixture.swarm.runner?.stop();
    fixture.content.answerLoads();
    fixture.ask(peer, 1);
    expect([peer.blocks, peer.messages.some(({ type }) => type === "reject")]).toEqual([[], false]);
  });
});

describe("a piece", () => {
  test("is written, hashed, recorded and announced, and the last one completes the file", async () => {
    const fixture = new Fixture([0], new Uint8Array(CONTENT.length));
    fixture.content.disk.set(CONTENT.subarray(0, PIECE_LENGTH));
    const other = fixture.swarm.join(1);
    fixture.seed(2);
    await promises();
    expect(fixture.content.disk).toEqual(CONTENT);
    expect(fixture.reported).toEqual(["verified 1", "completed"]);
    expect(other.messages).toContainEqual({ type: "have", piece: pieceIndex(1) });
  });

  test("that was read into memory before it was right is sent as it stands in the file, not from the stale memory", async () => {
    const fixture = new Fixture([0], new Uint8Array(CONTENT.length));
    // Read ahead with its neighbour, when nothing of it was there yet.
    fixture.content.memory.set(2 * BLOCK_LENGTH, new Uint8Array(BLOCK_LENGTH));
    fixture.content.memory.set(0, bytesOf(0));
    fixture.seed(1);
    await promises();
    const peer = fixture.leecher(2);
    fixture.ask(peer, 2);
    fixture.content.answerLoads();
    expect(peer.blocks).toEqual([{ block: blockOf(2), payload: bytesOf(2) }]);
    expect(fixture.content.calls).toContain(`forget ${PIECE_LENGTH} ${PIECE_LENGTH}`);
    expect(fixture.content.memory.has(0)).toBe(true);
  });

  test("W21: that is wrong is fetched again, and the only peer it came from is closed", async () => {
    const fixture = new Fixture([0], new Uint8Array(CONTENT.length));
    const culprit = fixture.seed(
      1,
      CONTENT.map((byte) => byte ^ 1),
    );
    await promises();
    expect(culprit.closedFor).toBe("hashMismatch");
    expect(fixture.reported).toEqual(["failed 1"]);
  });

  test("P8: that cannot be hashed ends the transfer, and no peer is closed", async () => {
    const fixture = new Fixture([0], new Uint8Array(CONTENT.length));
    fixture.content.hashing = () => Promise.reject(new DiskError("the disk is full"));
    const peer = fixture.seed(1);
    await promises();
    expect(fixture.failures.map(({ message }) => message)).toEqual(["the disk is full"]);
    expect([peer.closedFor, fixture.reported]).toEqual([undefined, []]);
  });

  test("P8: the end of the transfer is reported once, however many pieces cannot be hashed", async () => {
    const fixture = new Fixture([], new Uint8Array(CONTENT.length));
    fixture.content.hashing = () => Promise.reject(new DiskError("the disk is full"));
    const peers = [fixture.seed(1), fixture.seed(2)];
    for (const peer of peers) fixture.swarm.deliver(peer, offsetOf, CONTENT);
    await promises();
    expect(fixture.failures).toHaveLength(1);
  });

  test("that fails to be hashed after the runner was stopped is no failure", async () => {
    const fixture = new Fixture([0], new Uint8Array(CONTENT.length));
    const hashed = Promise.withResolvers<Uint8Array>();
    fixture.content.hashing = () => hashed.promise;
    fixture.seed(1);
    fixture.swarm.runner?.stop();
    hashed.reject(new DiskError("is closed"));
    await promises();
    expect(fixture.failures).toEqual([]);
  });

  test("that was hashed after the runner was stopped counts for nothing", async () => {
    const fixture = new Fixture([0], new Uint8Array(CONTENT.length));
    const hashed = Promise.withResolvers<Uint8Array>();
    fixture.content.hashing = () => hashed.promise;
    fixture.seed(1);
    fixture.swarm.runner?.stop();
    hashed.resolve(METAINFO.pieces.subarray(20));
    await promises();
    expect(fixture.reported).toEqual([]);
  });
});

describe("the blocks of a wrong piece", () => {
  const wrong = CONTENT.map((byte) => byte ^ 1);

  /** Two peers are asked for both pieces; of the disputed one the first peer gives a wrong block. @returns that piece. */
  function dispute(fixture: Fixture): { readonly peers: readonly FakePeer[]; readonly disputed: number } {
    const first = fixture.swarm.join(1, { type: "haveAll" });
    const second = fixture.swarm.join(2, { type: "haveAll" });
    fixture.swarm.runner?.dispatch({ type: "peerQueueLimit", peer: first.handle, requests: 1 });
    for (const peer of [first, second]) fixture.swarm.receive(peer, { type: "unchoke" });
    const asked = first.messages.find(({ type }) => type === "request");
    assert(asked?.type === "request", "the first peer is asked for a block");
    const disputed = asked.block.piece;
    fixture.swarm.deliver(first, offsetOf, wrong);
    fixture.swarm.deliver(second, offsetOf, CONTENT, ({ piece }) => piece === disputed);
    return { peers: [first, second], disputed };
  }

  test("P8: that cannot be hashed end the transfer, and no peer is closed", async () => {
    const fixture = new Fixture([], new Uint8Array(CONTENT.length));
    fixture.content.hash = () => Promise.reject(new DiskError("i/o error"));
    const { peers } = dispute(fixture);
    await promises();
    expect(fixture.failures.map(({ message }) => message)).toEqual(["i/o error"]);
    expect(peers.map(({ closedFor }) => closedFor)).toEqual([undefined, undefined]);
  });

  test("that cannot be hashed once the file is complete end nothing", async () => {
    const fixture = new Fixture([], new Uint8Array(CONTENT.length));
    const hash = fixture.content.hash.bind(fixture.content);
    const right = Promise.withResolvers<Uint8Array>();
    let hashings = 0;
    fixture.content.hash = (range) => (hashings++ === 0 ? hash(range) : right.promise);
    const { peers, disputed } = dispute(fixture);
    await promises();
    for (const peer of peers)
      fixture.swarm.deliver(peer, offsetOf, CONTENT, ({ piece }) => piece === disputed);
    await promises();
    expect([hashings, fixture.reported]).toEqual([2, [`failed ${disputed}`, `verified ${disputed}`]]);
    for (const peer of peers) fixture.swarm.deliver(peer, offsetOf, CONTENT);
    await promises();
    expect(fixture.reported.at(-1)).toBe("completed");
    right.reject(new DiskError("i/o error"));
    await promises();
    expect(fixture.failures).toEqual([]);
  });
});
