// What p2pfile remembers between runs, behind an interface so that other back ends can replace SQLite.
import type { InfoHash } from "../core/torrent/ids.ts";

/** Identity of a file's content as far as the file system tells: any change to the content changes one of these. */
export interface FileStamp {
  readonly dev: bigint;
  readonly inode: bigint;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** The piece hashes of a file that was hashed before: found again by stamp and piece length. */
export interface HashedFile {
  readonly stamp: FileStamp;
  readonly pieceLength: number;
  /** 20 x piece count bytes. */
  readonly pieces: Uint8Array;
}

/** A download under way. Bits are recorded only after the data under them is on disk (fdatasync). */
export interface DownloadRecord {
  readonly infoHash: InfoHash;
  /** Absolute path of the part file. */
  readonly partPath: string;
  readonly partInode: bigint;
  readonly size: number;
  /** Verified pieces in BEP 3 bit order. */
  readonly bitfield: Uint8Array;
  /** /proc/sys/kernel/random/boot_id of the run that wrote this: the page cache survives a kill, not a reboot. */
  readonly bootId: string;
}

export interface StateStore {
  /** The port under which this info hash was served last, so that old magnets stay valid. */
  portOf(infoHash: InfoHash): number | undefined;
  rememberPort(infoHash: InfoHash, port: number): void;
  hashedFile(stamp: FileStamp, pieceLength: number): HashedFile | undefined;
  rememberHashedFile(file: HashedFile): void;
  /** Raw info dict bytes, so that a resumed download needs no peer to know its pieces. */
  metadata(infoHash: InfoHash): Uint8Array | undefined;
  rememberMetadata(infoHash: InfoHash, info: Uint8Array): void;
  download(infoHash: InfoHash, partPath: string): DownloadRecord | undefined;
  saveDownload(record: DownloadRecord): void;
  forgetDownload(infoHash: InfoHash, partPath: string): void;
  close(): void;
}
