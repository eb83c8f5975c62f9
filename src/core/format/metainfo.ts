// The info dict (BEP 3): created for a served file, parsed and checked when it comes from peers. The info hash is the hash of
// the raw bytes, never of a re-encoding. Knows no file, no peer and no .torrent envelope.
import { assert, present } from "../../lib/assert.ts";
import { SHA1_LENGTH, sha1 } from "../../lib/sha1.ts";
import {
  asDict,
  type BencodeDict,
  type BencodeValue,
  decodeBencode,
  decodeText,
  dictBytes,
  dictInteger,
  dictList,
  encodeBencode,
} from "./bencode.ts";
import { checkFileName, printable } from "./file-name.ts";
import { Geometry } from "../torrent/geometry.ts";
import { type InfoHash, infoHashOf, type PieceIndex } from "../torrent/ids.ts";
import { BLOCK_LENGTH, MAX_FILE_LENGTH, MAX_PIECE_COUNT } from "../torrent/limits.ts";
import { MAX_ACCEPTED_PIECE_LENGTH, MAX_METADATA_LENGTH, MIN_ACCEPTED_PIECE_LENGTH } from "./limits.ts";

export interface Metainfo {
  readonly infoHash: InfoHash;
  /** Passed checkFileName. Of a list of one file the last component of its path. */
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
  const file = singleFile(dict);
  if ("error" in file) return file;
  const error = unsupported(dict) ?? badNumbers(dict, file) ?? badName(file);
  if (error !== undefined) return { error };

  const length = present(integerOf(file.length));
  const geometry = new Geometry(length, present(dictInteger(dict, "piece length")));
  const pieces = present(dictBytes(dict, "pieces"));
  if (pieces.length !== geometry.pieceCount * SHA1_LENGTH) {
    return { error: `"pieces" has ${pieces.length} bytes, not 20 for each of ${geometry.pieceCount} pieces` };
  }
  const name = present(decodeText(present(bytesOf(file.name))));
  return { infoHash: infoHashOf(sha1(bytes)), name, geometry, pieces, infoBytes: Uint8Array.from(bytes) };
}

/** @returns the expected SHA-1 of `piece`, 20 bytes: a view, not a copy. */
export function expectedDigest(metainfo: Metainfo, piece: PieceIndex): Uint8Array {
  return metainfo.pieces.subarray(piece * SHA1_LENGTH, (piece + 1) * SHA1_LENGTH);
}

/** The length and the name of the one file, unchecked. */
interface SingleFile {
  readonly length: BencodeValue | undefined;
  readonly name: BencodeValue | undefined;
}

/**
 * They stand in the dict itself, or in its list of files with one entry: other programs write that for a directory with one file.
 * The directories of its path are not made.
 */
function singleFile(dict: BencodeDict): SingleFile | { readonly error: string } {
  if (!dict.has("files")) return { length: dict.get("length"), name: dict.get("name") };
  if (dict.has("length")) return { error: 'both "length" and "files" are there' };
  const files = dictList(dict, "files");
  if (files !== undefined && files.length > 1)
    return { error: "torrents of several files are not supported" };
  const file = asDict(files?.[0]);
  if (file === undefined) return { error: '"files" has no file' };
  return { length: file.get("length"), name: dictList(file, "path")?.at(-1) };
}

function integerOf(value: BencodeValue | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function bytesOf(value: BencodeValue | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

/** A hybrid torrent (BEP 52) of a single file also has the version 1 fields, which are used. */
function unsupported(dict: BencodeDict): string | undefined {
  if (dict.has("meta version") && !dict.has("pieces")) return "version 2 torrents are not supported";
  return undefined;
}

function badNumbers(dict: BencodeDict, file: SingleFile): string | undefined {
  const length = integerOf(file.length);
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

function badName(file: SingleFile): string | undefined {
  const bytes = bytesOf(file.name);
  if (bytes === undefined) return '"name" is missing or not a string';
  const name = decodeText(bytes);
  if (name === undefined) return "the file name is not valid UTF-8";
  const problem = checkFileName(name);
  return problem === undefined ? undefined : `the file name "${printable(name)}" ${problem}`;
}
