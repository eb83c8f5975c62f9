// The info dict (BEP 3): created for a served file, parsed and checked when it comes from peers. The info hash is the hash of
// the raw bytes, never of a re-encoding. Knows no file, no peer and no .torrent envelope.
import { assert, present } from "../../lib/assert.ts";
import { SHA1_LENGTH, sha1 } from "../../lib/sha1.ts";
import {
  asDict,
  type BencodeDict,
  decodeBencode,
  decodeText,
  dictBytes,
  dictInteger,
  encodeBencode,
} from "./bencode.ts";
import { checkFileName, printable } from "./file-name.ts";
import { Geometry } from "../torrent/geometry.ts";
import { type InfoHash, infoHashOf, type PieceIndex } from "../torrent/ids.ts";
import { BLOCK_LENGTH, MAX_FILE_LENGTH, MAX_PIECE_COUNT } from "../torrent/limits.ts";
import { MAX_ACCEPTED_PIECE_LENGTH, MAX_METADATA_LENGTH, MIN_ACCEPTED_PIECE_LENGTH } from "./limits.ts";

export interface Metainfo {
  readonly infoHash: InfoHash;
  /** Passed checkFileName. */
  readonly name: string;
  readonly geometry: Geometry;
  /** 20 bytes of SHA-1 for each piece, in piece order. */
  readonly pieces: Uint8Array;
  /** The raw info dict: the bytes that are hashed and sent to peers (BEP 9). */
  readonly infoBytes: Uint8Array;
}

/**
 * The same arguments give the same bytes on every host: the keys are `length`, `name`, `piece length` and `pieces`.
 * @throws InvariantError when the arguments do not pass parseInfoDict; the caller checks the name of a user's file first.
 */
export function createMetainfo(
  name: string,
  length: number,
  pieceLength: number,
  pieces: Uint8Array,
): Metainfo {
  const made = parseInfoDict(encodeBencode({ length, name, "piece length": pieceLength, pieces }));
  assert(!("error" in made), `cannot describe "${printable(name)}": ${"error" in made ? made.error : ""}`);
  return made;
}

/**
 * Checks every field that it reads. The caller compares the info hash with that of the magnet.
 * @returns the metainfo with its own copy of `bytes`, or the problem in words that follow "the torrent cannot be used:".
 */
export function parseInfoDict(bytes: Uint8Array): Metainfo | { readonly error: string } {
  if (bytes.length > MAX_METADATA_LENGTH)
    return { error: `metadata longer than ${MAX_METADATA_LENGTH} bytes` };
  const dict = asDict(decodeBencode(bytes));
  if (dict === undefined) return { error: "metadata is not a valid bencoded dictionary" };
  const error = unsupported(dict) ?? badNumbers(dict) ?? badName(dict);
  if (error !== undefined) return { error };

  const geometry = new Geometry(
    present(dictInteger(dict, "length")),
    present(dictInteger(dict, "piece length")),
  );
  const pieces = present(dictBytes(dict, "pieces"));
  if (pieces.length !== geometry.pieceCount * SHA1_LENGTH) {
    return { error: `"pieces" has ${pieces.length} bytes, not 20 for each of ${geometry.pieceCount} pieces` };
  }
  const name = present(decodeText(present(dictBytes(dict, "name"))));
  return { infoHash: infoHashOf(sha1(bytes)), name, geometry, pieces, infoBytes: Uint8Array.from(bytes) };
}

/** @returns the expected SHA-1 of `piece`, 20 bytes: a view, not a copy. */
export function expectedDigest(metainfo: Metainfo, piece: PieceIndex): Uint8Array {
  return metainfo.pieces.subarray(piece * SHA1_LENGTH, (piece + 1) * SHA1_LENGTH);
}

/** A hybrid torrent (BEP 52) of a single file also has the version 1 fields, which are used. */
function unsupported(dict: BencodeDict): string | undefined {
  if (dict.has("files")) return "torrents of several files are not supported";
  if (dict.has("meta version") && !dict.has("pieces")) return "version 2 torrents are not supported";
  return undefined;
}

function badNumbers(dict: BencodeDict): string | undefined {
  const length = dictInteger(dict, "length");
  if (length === undefined) return '"length" is missing or not an integer';
  if (length < 1 || length > MAX_FILE_LENGTH)
    return `"length" is ${length}, not within 1..${MAX_FILE_LENGTH}`;
  const pieceLength = dictInteger(dict, "piece length");
  if (pieceLength === undefined) return '"piece length" is missing or not an integer';
  if (
    pieceLength < MIN_ACCEPTED_PIECE_LENGTH ||
    pieceLength > MAX_ACCEPTED_PIECE_LENGTH ||
    pieceLength % BLOCK_LENGTH !== 0
  ) {
    return `"piece length" is ${pieceLength}, not a multiple of ${BLOCK_LENGTH} up to ${MAX_ACCEPTED_PIECE_LENGTH}`;
  }
  const pieceCount = Math.ceil(length / pieceLength);
  if (pieceCount > MAX_PIECE_COUNT) return `${pieceCount} pieces are more than ${MAX_PIECE_COUNT}`;
  return dictBytes(dict, "pieces") === undefined ? '"pieces" is missing or not a string' : undefined;
}

function badName(dict: BencodeDict): string | undefined {
  const bytes = dictBytes(dict, "name");
  if (bytes === undefined) return '"name" is missing or not a string';
  const name = decodeText(bytes);
  if (name === undefined) return "the file name is not valid UTF-8";
  const problem = checkFileName(name);
  return problem === undefined ? undefined : `the file name "${printable(name)}" ${problem}`;
}
