// The state store for a directory that cannot be written to: the same within one run, empty in the next.
import type { InfoHash } from "../core/torrent/ids.ts";
import {
  MAX_STORED_DESTINATIONS,
  MAX_STORED_DOWNLOADS,
  MAX_STORED_HASHED_FILES,
  MAX_STORED_METADATA,
  MAX_STORED_PORTS,
} from "./limits.ts";
import { sameStamp } from "./file-stamp.ts";
import type { DownloadRecord, FileStamp, HashedFile, StateStore } from "./state-store.ts";

export class MemoryStore implements StateStore {
  readonly #ports = new Map<string, number>();
  readonly #hashedFiles = new Map<string, HashedFile>();
  readonly #metadata = new Map<string, Uint8Array>();
  readonly #downloads = new Map<string, DownloadRecord>();
  readonly #destinations = new Map<string, string>();

  portOf(infoHash: InfoHash): number | undefined {
    return this.#ports.get(infoHash);
  }

  rememberPort(infoHash: InfoHash, port: number): void {
    putLatest(this.#ports, infoHash, port, MAX_STORED_PORTS);
  }

  hashedFile(stamp: FileStamp, pieceLength: number): HashedFile | undefined {
    const known = this.#hashedFiles.get(fileKey(stamp, pieceLength));
    if (known === undefined || !sameStamp(known.stamp, stamp)) return undefined;
    return { ...known, pieces: known.pieces.slice() };
  }

  rememberHashedFile(file: HashedFile): void {
    const key = fileKey(file.stamp, file.pieceLength);
    putLatest(this.#hashedFiles, key, { ...file, pieces: file.pieces.slice() }, MAX_STORED_HASHED_FILES);
  }

  metadata(infoHash: InfoHash): Uint8Array | undefined {
    return this.#metadata.get(infoHash)?.slice();
  }

  rememberMetadata(infoHash: InfoHash, info: Uint8Array): void {
    putLatest(this.#metadata, infoHash, info.slice(), MAX_STORED_METADATA);
  }

  download(infoHash: InfoHash, partPath: string): DownloadRecord | undefined {
    const known = this.#downloads.get(downloadKey(infoHash, partPath));
    return known && { ...known, bitfield: known.bitfield.slice() };
  }

  saveDownload(record: DownloadRecord): void {
    const key = downloadKey(record.infoHash, record.partPath);
    putLatest(this.#downloads, key, { ...record, bitfield: record.bitfield.slice() }, MAX_STORED_DOWNLOADS);
  }

  forgetDownload(infoHash: InfoHash, partPath: string): void {
    this.#downloads.delete(downloadKey(infoHash, partPath));
  }

  destinationId(directory: string): string | undefined {
    return this.#destinations.get(directory);
  }

  rememberDestination(directory: string, id: string): void {
    putLatest(this.#destinations, directory, id, MAX_STORED_DESTINATIONS);
  }

  close(): void {
    const maps = [this.#ports, this.#hashedFiles, this.#metadata, this.#downloads, this.#destinations];
    for (const map of maps) map.clear();
  }
}

function fileKey(stamp: FileStamp, pieceLength: number): string {
  return `${stamp.dev}:${stamp.inode}:${pieceLength}`;
}

function downloadKey(infoHash: InfoHash, partPath: string): string {
  return `${infoHash}:${partPath}`;
}

/** A Map keeps the order of insertion, so its first key is the oldest. */
function putLatest<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
