// One file of `serve`: from the path on the command line to a seeded torrent with its magnet, watched for change.
import { Bitfield } from "../../core/torrent/bitfield.ts";
import { MAX_READ_SPANS } from "../../storage/limits.ts";
import { SOURCE_CHECK_MS } from "../file/limits.ts";
import { formatMagnet, type Magnet } from "../../core/format/magnet.ts";
import { expectedDigest, type Metainfo } from "../../core/format/metainfo.ts";
import { Transfer } from "../../core/transfer/transfer.ts";
import { bytesEqual } from "../../lib/bytes.ts";
import { IntegrityError } from "../../lib/errors.ts";
import { findOwnAddress } from "../../discovery/own-address.ts";
import { SourceFile } from "../../storage/source-file.ts";
import { stampOf } from "../../storage/file-stamp.ts";
import { SpanReader } from "../../storage/span-reader.ts";
import { chance, monotonicMs } from "../clock.ts";
import { changedError, describeSource, hashSource } from "../file/describe-source.ts";
import { othersOfMagnet, portOfMagnet } from "./serve-magnet.ts";
import { snapshotOf } from "../network/torrent-snapshot.ts";
import { Swarm } from "../network/swarm.ts";
import { TransferRunner } from "../file/transfer-runner.ts";
import type { Resources } from "../resources.ts";

export interface ServeFileOptions {
  readonly index: number;
  readonly given: string;
  readonly magnet: Magnet | undefined;
  readonly resources: Resources;
}

export class ServedFile {
  readonly index: number;
  readonly path: string;
  /** Never resolves; rejects when the file cannot be served any more. */
  readonly ended: Promise<never>;
  readonly #source: SourceFile;
  readonly #reader: SpanReader;
  readonly #metainfo: Metainfo;
  readonly #resources: Resources;
  readonly #end: (error: unknown) => void;
  readonly #watch: ReturnType<typeof setInterval>;
  #swarm: Swarm | undefined;
  #runner: TransferRunner | undefined;
  #checking = false;
  #isServed = true;
  #removeProgress: () => void = () => {};

  private constructor(options: ServeFileOptions, source: SourceFile, metainfo: Metainfo) {
    this.index = options.index;
    this.path = source.path;
    this.#source = source;
    this.#metainfo = metainfo;
    this.#resources = options.resources;
    this.#reader = new SpanReader({
      fd: source.fd,
      path: source.path,
      size: source.size,
      maxSpans: options.resources.shareOf(MAX_READ_SPANS),
    });
    const { promise, reject } = Promise.withResolvers<never>();
    // It may fail before anybody waits for it.
    promise.catch(() => {});
    this.ended = promise;
    this.#end = (error) => {
      this.#isServed = false;
      this.#swarm?.close();
      this.#removeProgress();
      reject(error);
    };
    this.#watch = setInterval(() => void this.#checkUnchanged(), SOURCE_CHECK_MS);
  }

  /** Hashes the file, opens the port if this is the first file, and tells the magnet as soon as it can be used. */
  static async start(options: ServeFileOptions): Promise<ServedFile> {
    const { index, given, magnet, resources } = options;
    const { emit, workingDirectory } = resources.context;
    const source = await SourceFile.open(given, workingDirectory);
    try {
      const { name, size } = source;
      const { metainfo, cached } = await describeSource(source, resources, (done) =>
        emit({ type: "hashing", index, name, done, size }),
      );
      if (magnet !== undefined && magnet.infoHash !== metainfo.infoHash) {
        throw new IntegrityError(
          `${given}: is not the file of the magnet (its info hash is ${metainfo.infoHash}); serve the original or leave --magnet out`,
        );
      }
      const file = new ServedFile(options, source, metainfo);
      try {
        await file.#open(magnet, cached);
        return file;
      } catch (error) {
        clearInterval(file.#watch);
        throw error;
      }
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** False once the file has changed or cannot be read. */
  get isServed(): boolean {
    return this.#isServed;
  }

  /** Addresses of the hosts that have downloaded all of it. */
  doneHosts(): ReadonlySet<string> {
    return this.#swarm?.gossip.roster.doneHosts() ?? new Set();
  }

  /** After the network is closed. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    this.#runner?.stop();
    await this.#reader.close();
    await this.#source.close();
  }

  async #open(magnet: Magnet | undefined, cached: boolean): Promise<void> {
    const { store, context, options } = this.#resources;
    const { infoHash, geometry, name, infoBytes } = this.#metainfo;
    const ownHost = findOwnAddress(options.ip).host;
    const keptPort = magnet === undefined ? store.portOf(infoHash) : portOfMagnet(magnet, ownHost);
    const others = magnet === undefined ? [] : othersOfMagnet(magnet, ownHost);
    const node = await this.#resources.node(keptPort, others);
    if (keptPort !== undefined && keptPort !== node.address.port && options.port === undefined) {
      context.logger.warn(
        `${name} was served on port ${keptPort} before and is now on ${node.address.port}: old magnets do not lead here; serve it alone to keep its port`,
      );
    }
    store.rememberPort(infoHash, node.address.port);
    const pinned = [...options.peers, ...others].map((address) => ({ address, source: "flag" as const }));
    const swarm = new Swarm({
      node,
      infoHash,
      infoDict: infoBytes,
      pinned,
      state: "source",
      onMetadata: () => {},
      onFirstPeer: (source) =>
        context.emit({
          type: "firstPeer",
          index: this.index,
          infoHash,
          source,
          elapsedMs: this.#resources.elapsedMs,
        }),
    });
    this.#swarm = swarm;
    this.#runner = new TransferRunner({
      transfer: new Transfer({
        geometry,
        expected: (piece) => expectedDigest(this.#metainfo, piece),
        have: Bitfield.full(geometry.pieceCount),
        uploadBucket: node.uploadBucket,
        downloadBucket: node.downloadBucket,
        random: chance,
        now: monotonicMs(),
      }),
      metainfo: this.#metainfo,
      content: {
        path: this.path,
        fd: this.#source.fd,
        reader: this.#reader,
        writer: undefined,
        onVerified: () => {},
      },
      pool: this.#resources.pool,
      peerOf: (handle) => swarm.peer(handle),
      banDisconnected: () => {},
      onCompleted: () => {},
      onPieceFailed: () => {},
      onFailure: (error) => this.#end(error),
    });
    swarm.start(this.#runner);
    node.add(swarm);
    const size = geometry.length;
    const peers = [node.address, ...pinned.map(({ address }) => address)];
    this.#removeProgress = this.#resources.progress.add((now) =>
      snapshotOf(
        {
          index: this.index,
          phase: "seeding",
          metainfo: this.#metainfo,
          swarm,
          transfer: this.#runner?.transfer,
        },
        now,
      ),
    );
    context.emit({
      type: "serving",
      index: this.index,
      name,
      path: this.path,
      size,
      infoHash,
      magnet: formatMagnet({ infoHash, name, peers }),
      cached,
    });
  }

  /**
   * The file must stay what it was when it was hashed. A change of its stamp stops the serving until all of it has
   * been hashed again; when a piece differs the file cannot be served any more.
   */
  async #checkUnchanged(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      if (!(await this.#source.changed())) return;
      this.#runner?.suspend(true);
      const stamp = await stampOf(this.#source.fd);
      const { geometry, pieces } = this.#metainfo;
      const now = stamp.size === geometry.length ? await this.#rehash(geometry.pieceLength) : undefined;
      if (now === undefined || !bytesEqual(now, pieces)) throw changedError(this.#source);
      this.#source.adoptStamp(stamp);
      this.#reader.forget(0, geometry.length);
      this.#runner?.suspend(false);
      await this.#tellOfTouch();
    } catch (error) {
      this.#end(error);
    } finally {
      this.#checking = false;
    }
  }

  /** A removed or replaced file stays what it was as long as it is open. */
  async #tellOfTouch(): Promise<void> {
    const { logger } = this.#resources.context;
    if (await this.#source.isInPlace()) logger.info(`${this.path}: was touched; its content is the same`);
    else logger.warn(`${this.path}: was removed or replaced; what it was goes on being served until the end`);
  }

  #rehash(pieceLength: number): Promise<Uint8Array> {
    return hashSource(this.#source, pieceLength, this.#resources, () => {});
  }
}
