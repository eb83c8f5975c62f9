// The runner with a real part of a disk and real hash workers; peers are what the test makes them say.
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { type PeerHandle, peerHandle, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { createMetainfo, expectedDigest } from "../../../src/core/format/metainfo.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { TokenBucket } from "../../../src/core/rate/token-bucket.ts";
import { Transfer } from "../../../src/core/transfer/transfer.ts";
import { HashPool } from "../../../src/hashing/hash-pool.ts";
import { DiskError } from "../../../src/lib/errors.ts";
import { sha1 } from "../../../src/lib/sha1.ts";
import { type ContentPool, SpanContent } from "../../../src/session/file/span-content.ts";
import { TransferRunner } from "../../../src/session/file/transfer-runner.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

const PIECE_LENGTH = 4 * BLOCK_LENGTH;
const folder = mkdtempSync(join(tmpdir(), "p2pfile-runner-"));
const pool = new HashPool({ workers: 1, io: "map" });
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

/** A download of three pieces; the peers ask for nothing and say what the test wants. */
class Fixture {
  readonly geometry = new Geometry(3 * PIECE_LENGTH, PIECE_LENGTH);
  readonly content = crypto.getRandomValues(new Uint8Array(this.geometry.length));
  readonly path = join(folder, `${Math.floor(performance.now() * 1000)}`);
  readonly closed: [PeerHandle, string][] = [];
  readonly failures: Error[] = [];
  readonly wrongPieces: number[] = [];
  readonly runner: TransferRunner;
  readonly #asked = new Map<PeerHandle, Block[]>();
  readonly #fd: number;

  constructor(
    store: ContentPool["storePiece"] = (file, offset, bytes) => pool.storePiece(file, offset, bytes),
  ) {
    this.#fd = openSync(this.path, "w+");
    ftruncateSync(this.#fd, this.geometry.length);
    const pieces = new Uint8Array(60);
    for (let i = 0; i < 3; i++)
      pieces.set(sha1(this.content.subarray(i * PIECE_LENGTH, (i + 1) * PIECE_LENGTH)), i * 20);
    const metainfo = createMetainfo("model.bin", this.geometry.length, PIECE_LENGTH, pieces);
    this.runner = new TransferRunner({
      transfer: new Transfer({
        geometry: this.geometry,
        expected: (piece) => expectedDigest(metainfo, piece),
        have: new Bitfield(3),
        uploadBucket: new TokenBucket(0),
        downloadBucket: new TokenBucket(0),
        random: seededRandom(1),
        now: 0,
      }),
      metainfo,
      content: new SpanContent({
        file: { fd: this.#fd, path: this.path },
        size: this.geometry.length,
        pool: {
          hashPiece: (file, offset, length) => pool.hashPiece(file, offset, length, true),
          hashRange: (range) => pool.hashRange(range),
          storePiece: store,
        },
        readSpans: 4,
        writing: {
          pieceLength: PIECE_LENGTH,
          spans: 1,
          onPressure: () => {},
          onError: (error) => this.failures.push(error),
        },
      }),
      now: () => performance.now(),
      peerOf: (handle) => ({
        send: (message) => {
          if (message.type === "request") this.#asked.get(handle)?.push(message.block);
        },
        sendBlock: () => {},
        close: (fault) => this.closed.push([handle, fault]),
      }),
      banDisconnected: (handle) => this.closed.push([handle, "banned after it left"]),
      onVerified: () => {},
      onCompleted: () => {},
      onFailure: (error) => this.failures.push(error),
      onPieceFailed: (piece) => this.wrongPieces.push(piece),
    });
  }

  join(number: number, pieces: readonly number[]): PeerHandle {
    const peer = peerHandle(number);
    this.#asked.set(peer, []);
    this.runner.dispatch({ type: "peerJoined", peer, fast: true, haveNoneSent: false });
    for (const piece of pieces)
      this.runner.dispatch({
        type: "received",
        peer,
        message: { type: "have", piece: pieceIndex(piece) },
      });
    return peer;
  }

  say(peer: PeerHandle, type: "choke" | "unchoke"): void {
    this.runner.dispatch({ type: "received", peer, message: { type } });
  }

  asked(peer: PeerHandle): readonly Block[] {
    return this.#asked.get(peer) ?? [];
  }

  /** Answers the oldest request of the peer. */
  deliver(peer: PeerHandle, forged: boolean): void {
    const block = this.#asked.get(peer)?.shift();
    if (block === undefined) throw new Error("not asked");
    const offset = this.geometry.offsetOf(block);
    const payload = this.content.slice(offset, offset + block.length);
    if (forged) payload[77] = (payload[77] ?? 0) ^ 1;
    this.runner.dispatch({ type: "received", peer, message: { type: "block", block } }, payload);
  }

  async until(isSo: () => boolean): Promise<void> {
    for (let i = 0; i < 2000 && !isSo(); i++) await Bun.sleep(1);
    expect(isSo()).toBe(true);
  }

  close(): void {
    this.runner.stop();
    closeSync(this.#fd);
  }
}

describe("TransferRunner", () => {
  test("W21: of two that gave a wrong piece the one whose block was forged is closed, by the file's own bytes", async () => {
    const fixture = new Fixture();
    const culprit = fixture.join(1, [0]);
    const honest = fixture.join(2, [0]);
    fixture.runner.dispatch({ type: "peerQueueLimit", peer: culprit, requests: 2 });
    for (const peer of [culprit, honest]) fixture.say(peer, "unchoke");
    fixture.runner.dispatch({ type: "peerQueueLimit", peer: culprit, requests: 500 });
    expect([fixture.asked(culprit).length, fixture.asked(honest).length]).toEqual([2, 2]);
    for (const forged of [false, true]) fixture.deliver(culprit, forged);
    for (let i = 0; i < 2; i++) fixture.deliver(honest, false);
    for (const peer of [culprit, honest]) fixture.say(peer, "choke");
    await fixture.until(() => fixture.wrongPieces.length > 0);
    expect(fixture.closed).toEqual([]);
    fixture.say(honest, "unchoke");
    expect(fixture.asked(honest)).toHaveLength(4);
    while (fixture.asked(honest).length > 0) fixture.deliver(honest, false);
    await fixture.until(() => fixture.closed.length > 0);
    expect(fixture.closed).toEqual([[culprit, "hashMismatch"]]);
    expect([fixture.wrongPieces, fixture.failures]).toEqual([[0], []]);
    fixture.close();
  });

  test("W21: a culprit that has left before its piece was hashed is told of", async () => {
    const fixture = new Fixture();
    const culprit = fixture.join(1, [0]);
    fixture.say(culprit, "unchoke");
    while (fixture.asked(culprit).length > 0) fixture.deliver(culprit, true);
    fixture.runner.dispatch({ type: "peerLeft", peer: culprit });
    await fixture.until(() => fixture.closed.length > 0);
    expect(fixture.closed).toEqual([[culprit, "banned after it left"]]);
    expect([fixture.wrongPieces, fixture.failures]).toEqual([[0], []]);
    fixture.close();
  });

  test.each(["EIO", "ENOSPC"])(
    "P8: when our own disk says %s the download ends, and no peer is banned",
    async (code) => {
      const fixture = new Fixture(() =>
        Promise.reject(Object.assign(new Error("the disk failed"), { code })),
      );
      const peers = [fixture.join(1, [0, 1, 2]), fixture.join(2, [0, 1, 2])];
      for (const peer of peers) fixture.say(peer, "unchoke");
      for (const peer of peers) while (fixture.asked(peer).length > 0) fixture.deliver(peer, false);
      await fixture.until(() => fixture.failures.length > 0);
      expect(fixture.failures.every((error) => error instanceof DiskError)).toBe(true);
      expect([fixture.closed, fixture.wrongPieces]).toEqual([[], []]);
      fixture.close();
    },
  );
});
