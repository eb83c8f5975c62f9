import { describe, expect, test } from "bun:test";
import { createMetainfo } from "../../../src/core/format/metainfo.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { CHECK_LENGTH } from "../../../src/session/download/limits.ts";
import { checkPieces } from "../../../src/session/download/check-pieces.ts";
import { digestsOf, FakeContent } from "../fixtures/fake-content.ts";

const PIECE_LENGTH = 16_384;
const CONTENT = crypto.getRandomValues(new Uint8Array(5 * PIECE_LENGTH + 7));
const METAINFO = createMetainfo("model.bin", CONTENT.length, PIECE_LENGTH, digestsOf(CONTENT, PIECE_LENGTH));

async function check(content: FakeContent, pieces: readonly number[], stop = new AbortController()) {
  const right: number[] = [];
  const wrong: number[] = [];
  const progress: number[] = [];
  const hash = content.hash.bind(content);
  content.hash = (range) => {
    range.onProgress?.(range.length);
    range.signal?.throwIfAborted();
    return hash(range);
  };
  await checkPieces({
    pieces: pieces.map(pieceIndex),
    metainfo: METAINFO,
    content,
    onProgress: (done) => progress.push(done),
    signal: stop.signal,
    settle: (piece, isRight) => (isRight ? right : wrong).push(piece),
  });
  return { right, wrong, progress };
}

describe("checkPieces", () => {
  test("hashes each stretch without a gap in one go, and judges every piece", async () => {
    const content = new FakeContent(CONTENT.slice());
    for (const piece of [1, 5]) content.disk.fill(0, piece * PIECE_LENGTH, piece * PIECE_LENGTH + 3);
    const { right, wrong, progress } = await check(content, [0, 1, 3, 4, 5]);
    expect([right, wrong]).toEqual([
      [0, 3, 4],
      [1, 5],
    ]);
    const last = 2 * PIECE_LENGTH + 7;
    expect(content.calls).toEqual([`hash 0 ${2 * PIECE_LENGTH}`, `hash ${3 * PIECE_LENGTH} ${last}`]);
    expect(progress).toEqual([2 * PIECE_LENGTH, 2 * PIECE_LENGTH + last]);
  });

  test("hashes a long stretch in parts, so that its first pieces are settled early", async () => {
    const size = 3 * CHECK_LENGTH;
    const metainfo = createMetainfo("large.bin", size, CHECK_LENGTH / 2, new Uint8Array(6 * 20));
    const lengths: number[] = [];
    await checkPieces({
      pieces: [0, 1, 2, 3, 4, 5].map(pieceIndex),
      metainfo,
      content: {
        hash: ({ length }) => {
          lengths.push(length);
          return Promise.resolve(new Uint8Array(40));
        },
      },
      onProgress() {},
      signal: new AbortController().signal,
      settle() {},
    });
    expect(lengths).toEqual([CHECK_LENGTH, CHECK_LENGTH, CHECK_LENGTH]);
  });

  test("has nothing to do without pieces", async () => {
    const content = new FakeContent(CONTENT.slice());
    expect(await check(content, [])).toEqual({ right: [], wrong: [], progress: [] });
    expect(content.calls).toEqual([]);
  });

  test("ends with the reason of its signal", async () => {
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    await expect(check(new FakeContent(CONTENT.slice()), [0], stop)).rejects.toThrow("stopped");
  });
});
