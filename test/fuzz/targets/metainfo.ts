// The info dict from a peer: an accepted one describes one file that can be downloaded.
import { checkFileName, printable } from "../../../src/core/format/file-name.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_FILE_LENGTH, MAX_PIECE_COUNT } from "../../../src/core/torrent/limits.ts";
import {
  MAX_ACCEPTED_PIECE_LENGTH,
  MAX_SHARED_NAME_LENGTH,
  MIN_ACCEPTED_PIECE_LENGTH,
} from "../../../src/core/format/limits.ts";
import { createMetainfo, type Metainfo, parseInfoDict } from "../../../src/core/format/metainfo.ts";
import { bytesEqual, concatBytes, toHex } from "../../../src/lib/bytes.ts";
import { SHA1_LENGTH, sha1 } from "../../../src/lib/sha1.ts";
import { defineTarget, promise } from "../engine/target.ts";

type Parse = typeof parseInfoDict;

function check(parse: Parse, input: Uint8Array): string {
  const given = Uint8Array.from(input);
  const metainfo = parse(given);
  promise(bytesEqual(given, input), "the bytes are not modified");
  if ("error" in metainfo) {
    promise(metainfo.error === printable(metainfo.error), "an error is one printable line");
    return `bad: ${metainfo.error.replaceAll(/"[^"]*"|\d+/g, "")}`;
  }
  // The caller may use the buffer again.
  given.fill(0);
  promise(bytesEqual(metainfo.infoBytes, input), "the bytes are kept as they came");
  promise(metainfo.infoHash === toHex(sha1(input)), "the info hash is that of the raw bytes");
  promise(checkFileName(metainfo.name) === undefined, "the name is one plain component");
  checkGeometry(metainfo);
  return `good: ${metainfo.geometry.pieceCount > 1 ? "pieces" : "one piece"}`;
}

function checkGeometry({ geometry, pieces }: Metainfo): void {
  const { length, pieceLength, pieceCount } = geometry;
  promise(Number.isSafeInteger(length) && length >= 1 && length <= MAX_FILE_LENGTH, `length ${length}`);
  promise(pieceLength % BLOCK_LENGTH === 0, `piece length ${pieceLength}`);
  promise(
    pieceLength >= MIN_ACCEPTED_PIECE_LENGTH && pieceLength <= MAX_ACCEPTED_PIECE_LENGTH,
    `piece length ${pieceLength}`,
  );
  promise(pieceCount >= 1 && pieceCount <= MAX_PIECE_COUNT, `${pieceCount} pieces`);
  promise(
    pieces.length === pieceCount * SHA1_LENGTH,
    `${pieces.length} bytes of hashes for ${pieceCount} pieces`,
  );
  const last = pieceIndex(pieceCount - 1);
  const lastLength = geometry.lengthOfPiece(last);
  promise(lastLength >= 1 && lastLength <= pieceLength, `a last piece of ${lastLength} bytes`);
  promise(geometry.pieceOffset(last) + lastLength === length, "the pieces are the whole file");
  const blocks = geometry.blockCount(last);
  const lastBlock = geometry.block(last, blocks - 1);
  promise(lastBlock.begin + lastBlock.length === lastLength, "the blocks are the whole piece");
}

export const metainfoTarget = defineTarget({
  name: "metainfo",
  runs: 15_000,
  maxLength: 64 * 1024,
  tokens: [
    "6:lengthi1e",
    "4:name1:a",
    "12:piece lengthi16384e",
    "6:pieces20:",
    "5:filesle",
    "12:meta versioni2e",
    "7:privatei1e",
    "2:..",
    "1:/",
    "4:.p2p",
    "3:\xe2\x80\xae",
    "1:\x1b",
    "i0e",
    "i-1e",
  ],
  numbers: [
    BLOCK_LENGTH,
    2 * BLOCK_LENGTH,
    MAX_ACCEPTED_PIECE_LENGTH,
    MIN_ACCEPTED_PIECE_LENGTH,
    MAX_FILE_LENGTH,
    MAX_PIECE_COUNT,
    MAX_SHARED_NAME_LENGTH,
    SHA1_LENGTH,
  ],
  subject: parseInfoDict,
  check,
  accepts: (input) => !("error" in parseInfoDict(input)),
  planted: {
    "a file of whole pieces needs one hash more": (bytes) => {
      const metainfo = parseInfoDict(bytes);
      if ("error" in metainfo || metainfo.geometry.length % metainfo.geometry.pieceLength !== 0)
        return metainfo;
      return { ...metainfo, pieces: concatBytes([metainfo.pieces, new Uint8Array(SHA1_LENGTH)]) };
    },
    "the name is not looked at": (bytes) => {
      const metainfo = parseInfoDict(bytes);
      const isName = "error" in metainfo && metainfo.error.startsWith('the file name "');
      return isName
        ? { ...createMetainfo("a", 1, BLOCK_LENGTH, new Uint8Array(SHA1_LENGTH)), name: ".." }
        : metainfo;
    },
    "an error shows the name as it is": (bytes) => {
      const metainfo = parseInfoDict(bytes);
      return "error" in metainfo
        ? { error: metainfo.error.replaceAll(/\\u\{[0-9a-f]+\}/g, "\u001b") }
        : metainfo;
    },
    "the caller's bytes are kept": (bytes) => {
      const metainfo = parseInfoDict(bytes);
      return "error" in metainfo ? metainfo : { ...metainfo, infoBytes: bytes };
    },
    "a private torrent throws": (bytes) => {
      const metainfo = parseInfoDict(bytes);
      if (!("error" in metainfo) && Buffer.from(bytes).includes("7:privatei1e"))
        throw new TypeError("private");
      return metainfo;
    },
  },
});
