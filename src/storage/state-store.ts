// What p2pfile stores between runs, as an interface, so that another back end can replace SQLite.
import type { InfoHash } from "../core/torrent/ids.ts";

/** Identity of a file's content by its file system: a change of the content changes one of these. */
export interface FileStamp {
  readonly dev: bigint;
  readonly inode: bigint;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** The piece hashes of a file, found by its stamp and piece length. */
export interface HashedFile {
  readonly stamp: FileStamp;
  readonly pieceLength: number;
  /** 20 x piece count bytes. */
  readonly pieces: Uint8Array;
}

/** The times of a file: a write or a change of its names changes one of them. */
export interface FileTimes {
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** An unfinished download. A bit is recorded only after the data of its piece is on the disk (fdatasync). */
export interface DownloadRecord {
  readonly infoHash: InfoHash;
  /** Absolute path of the part file. */
  readonly partPath: string;
  readonly partInode: bigint;
  readonly size: number;
  /** Verified pieces in BEP 3 bit order. */
  readonly bitfield: Uint8Array;
  /** /proc/sys/kernel/random/boot_id when this was written: the page cache survives a kill, not a reboot. */
  readonly bootId: string;
  /** Of the part file when a run ended in order, with nothing written after; undefined while one goes on or was killed. */
  readonly stopped: FileTimes | undefined;
}

export interface StateStore {
  /** The port where this info hash was served last, so that its magnets stay valid. */
  portOf(infoHash: InfoHash): number | undefined;
  rememberPort(infoHash: InfoHash, port: number): void;
  hashedFile(stamp: FileStamp, pieceLength: number): HashedFile | undefined;
  rememberHashedFile(file: HashedFile): void;
  /** Raw info dict, so that a resumed download knows its pieces without a peer. */
  metadata(infoHash: InfoHash): Uint8Array | undefined;
  rememberMetadata(infoHash: InfoHash, info: Uint8Array): void;
  download(infoHash: InfoHash, partPath: string): DownloadRecord | undefined;
  saveDownload(record: DownloadRecord): void;
  forgetDownload(infoHash: InfoHash, partPath: string): void;
  /** The random id of a directory that files are downloaded to, in hexadecimal digits. */
  destinationId(directory: string): string | undefined;
  rememberDestination(directory: string, id: string): void;
  close(): void;
}
