// The state store in a hidden SQLite file of the working directory. A record may be lost and must not be wrong: what cannot
// be read as it was written counts as unknown, and what cannot be written costs a later run some work, never this one.
import type { Database } from "bun:sqlite";
import type { InfoHash } from "../core/torrent/ids.ts";
import { toHex } from "../lib/bytes.ts";
import { P2pfileError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { sha1 } from "../lib/sha1.ts";
import { sameStamp } from "./file-stamp.ts";
import { STATE_FILE_NAME } from "./own-files.ts";
import { SqliteConnection, type SqliteOptions } from "./sqlite-connection.ts";
import { rowChecksum } from "./state-checksum.ts";
import { prune, type StateTable } from "./state-schema.ts";
import type { DownloadRecord, FileStamp, HashedFile, StateStore } from "./state-store.ts";

interface HashedFileRow {
  readonly size: bigint;
  readonly mtime_ns: bigint;
  readonly ctime_ns: bigint;
  readonly pieces: Uint8Array;
  readonly crc: bigint;
}

interface DownloadRow {
  readonly part_inode: bigint;
  readonly size: bigint;
  readonly bitfield: Uint8Array;
  readonly crc: bigint;
  readonly boot_id: string;
  readonly mtime_ns: bigint;
  readonly ctime_ns: bigint;
}

/** In both times: the download did not end in order. */
const NO_TIME = 0n;

export class SqliteStore implements StateStore {
  readonly #connection: SqliteConnection;
  readonly #logger: Logger;
  /** Warnings given, so that a full disk is one line and not one every five seconds. */
  readonly #warnings = new Set<string>();

  /** Opens or makes `.p2pfile.db` in `directory`. @throws as SqliteConnection. */
  constructor(directory: string, options: SqliteOptions) {
    this.#logger = options.logger;
    this.#connection = new SqliteConnection(directory, options);
  }

  portOf(infoHash: InfoHash): number | undefined {
    const sql = "SELECT port, crc FROM ports WHERE info_hash = ?";
    const row = this.#read((database) =>
      database.query<{ port: bigint; crc: bigint }, [string]>(sql).get(infoHash),
    );
    if (!row || row.crc !== rowChecksum([infoHash, row.port])) return undefined;
    // A check sum says that the row was written so, not by which program.
    return row.port >= 0n && row.port <= 65_535n ? Number(row.port) : undefined;
  }

  rememberPort(infoHash: InfoHash, port: number): void {
    this.#write("ports", (database) => {
      database
        .query("REPLACE INTO ports VALUES (?, ?, ?)")
        .run(infoHash, port, rowChecksum([infoHash, BigInt(port)]));
    });
  }

  hashedFile(stamp: FileStamp, pieceLength: number): HashedFile | undefined {
    const sql = `SELECT size, mtime_ns, ctime_ns, pieces, crc FROM hashed_files
      WHERE dev = ? AND inode = ? AND piece_length = ?`;
    const row = this.#read((database) =>
      database
        .query<HashedFileRow, [bigint, bigint, number]>(sql)
        .get(toSigned(stamp.dev), toSigned(stamp.inode), pieceLength),
    );
    if (
      !row ||
      row.crc !==
        rowChecksum([...fileKey(stamp, pieceLength), row.size, row.mtime_ns, row.ctime_ns, row.pieces])
    ) {
      return undefined;
    }
    const known: FileStamp = {
      dev: stamp.dev,
      inode: stamp.inode,
      size: Number(row.size),
      mtimeNs: row.mtime_ns,
      ctimeNs: row.ctime_ns,
    };
    return sameStamp(known, stamp) ? { stamp: known, pieceLength, pieces: row.pieces } : undefined;
  }

  rememberHashedFile({ stamp, pieceLength, pieces }: HashedFile): void {
    this.#write("hashed_files", (database) => {
      database
        .query("REPLACE INTO hashed_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .run(
          toSigned(stamp.dev),
          toSigned(stamp.inode),
          pieceLength,
          stamp.size,
          stamp.mtimeNs,
          stamp.ctimeNs,
          pieces,
          rowChecksum([
            ...fileKey(stamp, pieceLength),
            BigInt(stamp.size),
            stamp.mtimeNs,
            stamp.ctimeNs,
            pieces,
          ]),
        );
    });
  }

  metadata(infoHash: InfoHash): Uint8Array | undefined {
    const sql = "SELECT info FROM metadata WHERE info_hash = ?";
    const row = this.#read((database) => database.query<{ info: Uint8Array }, [string]>(sql).get(infoHash));
    // The key is the checksum.
    return row?.info instanceof Uint8Array && toHex(sha1(row.info)) === infoHash ? row.info : undefined;
  }

  rememberMetadata(infoHash: InfoHash, info: Uint8Array): void {
    this.#write("metadata", (database) => {
      database.query("REPLACE INTO metadata VALUES (?, ?)").run(infoHash, info);
    });
  }

  download(infoHash: InfoHash, partPath: string): DownloadRecord | undefined {
    const sql = `SELECT part_inode, size, bitfield, crc, boot_id, mtime_ns, ctime_ns FROM downloads
      WHERE info_hash = ? AND part_path = ?`;
    const row = this.#read((database) =>
      database.query<DownloadRow, [string, string]>(sql).get(infoHash, partPath),
    );
    if (!row) return undefined;
    const { part_inode: inode, size, bitfield, boot_id: bootId, mtime_ns: mtimeNs, ctime_ns: ctimeNs } = row;
    const values = [infoHash, partPath, inode, size, bitfield, bootId, mtimeNs, ctimeNs];
    if (row.crc !== rowChecksum(values)) return undefined;
    return {
      infoHash,
      partPath,
      partInode: toUnsigned(row.part_inode),
      size: Number(row.size),
      bitfield: row.bitfield,
      bootId: row.boot_id,
      stopped: mtimeNs === NO_TIME && ctimeNs === NO_TIME ? undefined : { mtimeNs, ctimeNs },
    };
  }

  saveDownload(record: DownloadRecord): void {
    const { mtimeNs, ctimeNs } = record.stopped ?? { mtimeNs: NO_TIME, ctimeNs: NO_TIME };
    this.#write("downloads", (database) => {
      database
        .query("REPLACE INTO downloads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .run(
          record.infoHash,
          record.partPath,
          toSigned(record.partInode),
          record.size,
          record.bitfield,
          rowChecksum([
            record.infoHash,
            record.partPath,
            toSigned(record.partInode),
            BigInt(record.size),
            record.bitfield,
            record.bootId,
            mtimeNs,
            ctimeNs,
          ]),
          record.bootId,
          mtimeNs,
          ctimeNs,
        );
    });
  }

  forgetDownload(infoHash: InfoHash, partPath: string): void {
    this.#write("downloads", (database) => {
      database.query("DELETE FROM downloads WHERE info_hash = ? AND part_path = ?").run(infoHash, partPath);
    });
  }

  destinationId(directory: string): string | undefined {
    const sql = "SELECT id, crc FROM destinations WHERE directory = ?";
    const row = this.#read((database) =>
      database.query<{ id: string; crc: bigint }, [string]>(sql).get(directory),
    );
    return row && row.crc === rowChecksum([directory, row.id]) ? row.id : undefined;
  }

  rememberDestination(directory: string, id: string): void {
    this.#write("destinations", (database) => {
      database
        .query("REPLACE INTO destinations VALUES (?, ?, ?)")
        .run(directory, id, rowChecksum([directory, id]));
    });
  }

  close(): void {
    this.#connection.close();
  }

  #read<Result>(work: (database: Database) => Result): Result | undefined {
    try {
      return this.#connection.read(work);
    } catch (error) {
      this.#warn("read", error);
      return undefined;
    }
  }

  #write(table: StateTable, work: (database: Database) => void): void {
    try {
      this.#connection.write((database) => {
        work(database);
        prune(database, table);
      });
    } catch (error) {
      this.#warn("written", error);
    }
  }

  #warn(what: string, error: unknown): void {
    if (error instanceof P2pfileError || !(error instanceof Error)) throw error;
    const message = `${STATE_FILE_NAME} cannot be ${what} (${error.message}); a later run may repeat some work`;
    if (this.#warnings.has(message)) this.#logger.debug(message);
    else this.#logger.warn(message);
    this.#warnings.add(message);
  }
}

function fileKey({ dev, inode }: FileStamp, pieceLength: number): readonly bigint[] {
  return [toSigned(dev), toSigned(inode), BigInt(pieceLength)];
}

function toSigned(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

function toUnsigned(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
