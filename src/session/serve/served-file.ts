// One file of `serve`: from the path on the command line to a seeded torrent with its magnet, watched for change.
import type { DoneHosts } from "../../core/exchange/first-hand-hosts.ts";
import { Bitfield } from "../../core/torrent/bitfield.ts";
import { MAX_READ_SPANS } from "../../storage/limits.ts";
import { formatMagnet, type Magnet } from "../../core/format/magnet.ts";
import type { Metainfo } from "../../core/format/metainfo.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import { IntegrityError } from "../../lib/errors.ts";
import { newDestinationId } from "../clock.ts";
import { findOwnAddress } from "../../discovery/own-address.ts";
import { SourceFile } from "../../storage/source-file.ts";
import { servedFileFailure } from "../file/content-failure.ts";
import { ContentWatch } from "../file/content-watch.ts";
import { describeSource } from "../file/describe-source.ts";
import { SpanContent } from "../file/span-content.ts";
import { startTransfer } from "../file/start-transfer.ts";
import type { TransferRunner } from "../file/transfer-runner.ts";
import type { JoinedSwarm, SessionNode } from "../network/session-node.ts";
import { snapshotOf } from "../network/torrent-snapshot.ts";
import type { Resources } from "../resources.ts";
import { othersOfMagnet, portOfMagnet } from "./serve-magnet.ts";

export interface ServeFileOptions {
  readonly index: number;
  readonly given: string;
  readonly magnet: Magnet | undefined;
  /** Destinations of one address that are counted. */
  readonly hostsPerAddress: number;
  readonly resources: Resources;
}

export class ServedFile {
  readonly index: number;
  readonly path: string;
  /** Never resolves; rejects when the file cannot be served any more. */
  readonly ended: Promise<never>;
  readonly #resources: Resources;
  readonly #hostsPerAddress: number;
  readonly #source: SourceFile;
  readonly #metainfo: Metainfo;
  readonly #content: SpanContent;
  readonly #reject: (error: unknown) => void;
  #watch: ContentWatch | undefined;
  #swarm: JoinedSwarm | undefined;
  #runner: TransferRunner | undefined;
  #isServed = true;
  #removeProgress: () => void = () => {};

  private constructor(options: ServeFileOptions, source: SourceFile, metainfo: Metainfo) {
    const { resources } = options;
    this.index = options.index;
    this.path = source.path;
    this.#resources = resources;
    this.#hostsPerAddress = options.hostsPerAddress;
    this.#source = source;
    this.#metainfo = metainfo;
    this.#content = new SpanContent({
      file: source,
      size: source.size,
      pool: resources.pool,
      readSpans: resources.shareOf(MAX_READ_SPANS),
    });
    const { promise, reject } = Promise.withResolvers<never>();
    // It may be rejected before it is waited for.
    promise.catch(() => {});
    this.ended = promise;
    this.#reject = reject;
  }

  /**
   * Hashes the file, opens the port if this is the first file, and emits the magnet as soon as it can be used.
   * @throws P2pfileError when the file cannot be served.
   */
  static async start(options: ServeFileOptions): Promise<ServedFile> {
    const { index, given, magnet, resources } = options;
    const { emit, workingDirectory, signal } = resources.context;
    const source = await SourceFile.open(given, workingDirectory);
    try {
      const { name, size } = source;
      const { metainfo, cached } = await describeSource(source, {
        store: resources.store,
        pool: resources.pool,
        signal,
        onProgress: (done) => emit({ type: "hashing", index, name, done, size }),
      });
      if (magnet !== undefined && magnet.infoHash !== metainfo.infoHash) {
        throw new IntegrityError(
          `${given}: is not the file of the magnet (its info hash is ${metainfo.infoHash}); serve the original or leave --magnet out`,
        );
      }
      const file = new ServedFile(options, source, metainfo);
      await file.#open(magnet, cached);
      return file;
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** False once the file has changed or cannot be read. */
  get isServed(): boolean {
    return this.#isServed;
  }

  /** The hosts that have downloaded all of it, at first hand. */
  doneHosts(): DoneHosts {
    return this.#swarm?.gossip.firstHand.doneHosts() ?? new Map();
  }

  /** After the network is closed. */
  async close(): Promise<void> {
    await this.#watch?.close();
    this.#runner?.stop();
    await this.#content.close();
    await this.#source.close();
  }

  async #open(magnet: Magnet | undefined, cached: boolean): Promise<void> {
    const { context, options, clock, progress } = this.#resources;
    const metainfo = this.#metainfo;
    const { infoHash, name } = metainfo;
    const ownHost = findOwnAddress(options.ip, options.peers).host;
    const others = magnet === undefined ? [] : othersOfMagnet(magnet, ownHost);
    const node = await this.#startNode(magnet, ownHost, others);
    const pinned = [...options.peers, ...others].map((address) => ({ address, source: "flag" as const }));
    const swarm = node.join({
      infoHash,
      infoDict: metainfo.infoBytes,
      pinned,
      state: "source",
      destination: newDestinationId(clock),
      hostsPerAddress: this.#hostsPerAddress,
      onMetadata: () => {},
      onFirstPeer: (source) => {
        const { elapsedMs } = this.#resources;
        context.emit({ type: "firstPeer", index: this.index, infoHash, source, elapsedMs });
      },
    });
    const runner = this.#startRunner(node, swarm);
    this.#swarm = swarm;
    this.#runner = runner;
    this.#watch = new ContentWatch({
      file: this.#source,
      content: this.#content,
      metainfo,
      clock,
      logger: context.logger,
      failure: servedFileFailure,
      onFailure: (error) => this.#end(error),
    });
    const { index, path } = this;
    const { transfer } = runner;
    this.#removeProgress = progress.add((now) =>
      snapshotOf({ index, phase: "seeding", metainfo, swarm, transfer }, now),
    );
    const peers = [node.address, ...pinned.map(({ address }) => address)];
    const uri = formatMagnet({ infoHash, name, isExecutable: this.#source.isExecutable, peers });
    const size = metainfo.geometry.length;
    context.emit({ type: "serving", index, name, path, size, infoHash, magnet: uri, cached });
  }

  /** On the port that old magnets name, where it can be had: that of `--magnet`, else the one of the last run. */
  async #startNode(
    magnet: Magnet | undefined,
    ownHost: string,
    others: readonly PeerAddress[],
  ): Promise<SessionNode> {
    const { store, context, options } = this.#resources;
    const { infoHash, name } = this.#metainfo;
    const keptPort = magnet === undefined ? store.portOf(infoHash) : portOfMagnet(magnet, ownHost);
    const node = await this.#resources.node(keptPort, others);
    const { port } = node.address;
    if (keptPort !== undefined && keptPort !== port && options.port === undefined) {
      context.logger.warn(
        `${name} was served on port ${keptPort} before and is now on ${port}: old magnets do not lead here; serve it alone to keep its port`,
      );
    }
    store.rememberPort(infoHash, port);
    return node;
  }

  #startRunner(node: SessionNode, swarm: JoinedSwarm): TransferRunner {
    const runner = startTransfer({
      metainfo: this.#metainfo,
      content: this.#content,
      have: Bitfield.full(this.#metainfo.geometry.pieceCount),
      clock: this.#resources.clock,
      node,
      swarm,
      onVerified: () => {},
      onCompleted: () => {},
      onPieceFailed: () => {},
      onFailure: (error) => this.#end(error),
    });
    swarm.start(runner);
    return runner;
  }

  #end(error: unknown): void {
    this.#isServed = false;
    void this.#watch?.close();
    this.#swarm?.close();
    this.#removeProgress();
    this.#reject(error);
  }
}
