// One magnet of `download`: joins its swarm, gets the metadata, and hands over to the file. Owns what ends it early: the
// end of `--timeout`, a failure, the end of the session.
import { shortened } from "../../core/format/file-name.ts";
import type { Magnet } from "../../core/format/magnet.ts";
import { type Metainfo, parseInfoDict } from "../../core/format/metainfo.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { OutputPlace } from "../../storage/output-place.ts";
import { ExitCode, P2pfileError } from "../../lib/errors.ts";
import type { JoinedSwarm, SessionNode } from "../network/session-node.ts";
import type { DownloadOptions } from "../options.ts";
import { Milestones } from "../report/milestones.ts";
import type { Resources } from "../resources.ts";
import { destinationIdOf } from "./destination-id.ts";
import { untilTold } from "./seeding.ts";
import { timeoutError, unusableTorrent } from "./download-errors.ts";
import { DownloadedFile } from "./downloaded-file.ts";
import { watchPatience } from "./patience.ts";

export interface DownloadFileOptions {
  readonly index: number;
  /** As given on the command line. */
  readonly text: string;
  readonly magnet: Magnet;
  readonly place: OutputPlace;
  readonly options: DownloadOptions;
  readonly resources: Resources;
}

export class Download {
  readonly index: number;
  readonly text: string;
  readonly magnet: Magnet;
  readonly #place: OutputPlace;
  readonly #options: DownloadOptions;
  readonly #resources: Resources;
  /** Rejects when the disk fails, nothing arrives for too long, or the file changes while it is seeded. */
  readonly #failed: Promise<never>;
  readonly #fail: (error: unknown) => void;
  readonly #milestones: Milestones;
  readonly #ended = new AbortController();
  #metainfo: Metainfo | undefined;
  #file: DownloadedFile | undefined;
  #swarm: JoinedSwarm | undefined;
  #removeProgress: () => void = () => {};
  #endPatience: () => void = () => {};

  constructor(options: DownloadFileOptions) {
    this.index = options.index;
    this.text = options.text;
    this.magnet = options.magnet;
    this.#place = options.place;
    this.#options = options.options;
    this.#resources = options.resources;
    this.#milestones = new Milestones(() => options.resources.clock.now());
    const { promise, reject } = Promise.withResolvers<never>();
    // It may be rejected before it is waited for.
    promise.catch(() => {});
    this.#failed = promise;
    this.#fail = reject;
  }

  /** Its name towards the user: that of the file, as far as it is known. */
  get label(): string {
    return this.#metainfo?.name ?? shortened(this.magnet.name ?? this.magnet.infoHash);
  }

  /**
   * Resolves when the file is complete and, with `--seeding`, seeded enough.
   * @throws P2pfileError when this magnet cannot be fetched; what was fetched stays for the next run.
   */
  async run(bootstrap: readonly PeerAddress[]): Promise<void> {
    const node = await this.#resources.node(undefined, bootstrap);
    try {
      await Promise.race([this.#failed, this.#fetch(node)]);
    } catch (error) {
      await this.#reportFailure(error);
      throw error;
    } finally {
      this.#ended.abort();
      this.#endPatience();
      this.#removeProgress();
      this.#swarm?.close();
    }
  }

  /** After the network is closed: what is verified is recorded, so that the next run goes on from it. */
  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** Its own end comes first: a session that is stopped does not wait for it. */
  async #reportFailure(error: unknown): Promise<void> {
    const { context, clock } = this.#resources;
    const gossip = this.#swarm?.gossip;
    if (gossip === undefined || context.signal.aborted) return;
    const code = error instanceof P2pfileError ? error.exitCode : ExitCode.bug;
    gossip.fail({ code, text: error instanceof Error ? error.message : "" });
    await untilTold(() => gossip.isReported(), context.signal, clock);
  }

  async #fetch(node: SessionNode): Promise<void> {
    const { context, progress } = this.#resources;
    const metadata = Promise.withResolvers<Uint8Array>();
    const swarm = this.#join(node, metadata.resolve);
    this.#watchPatience();
    const metainfo = await this.#readMetadata(metadata.promise);
    this.#metainfo = metainfo;
    const file = new DownloadedFile({
      index: this.index,
      metainfo,
      place: this.#place,
      isExecutable: this.magnet.isExecutable === true,
      options: this.#options,
      resources: this.#resources,
      node,
      swarm,
      milestones: this.#milestones,
      signal: AbortSignal.any([context.signal, this.#ended.signal]),
      onComplete: () => this.#endPatience(),
      onFailure: this.#fail,
    });
    this.#file = file;
    this.#removeProgress = progress.add((now) => file.snapshot(now));
    await file.run();
  }

  #join(node: SessionNode, onMetadata: (infoDict: Uint8Array) => void): JoinedSwarm {
    const { store, context, clock } = this.#resources;
    const { infoHash, peers } = this.magnet;
    const swarm = node.join({
      infoHash,
      infoDict: store.metadata(infoHash),
      pinned: [
        ...peers.map((address) => ({ address, source: "magnet" as const })),
        ...this.#options.peers.map((address) => ({ address, source: "flag" as const })),
      ],
      state: "leeching",
      destination: destinationIdOf(this.#options.directory, context.workingDirectory, this.#resources),
      hostsPerAddress: 1,
      onMetadata,
      onFirstPeer: (source) => {
        const elapsedMs = this.#milestones.reached("firstPeer");
        context.emit({ type: "firstPeer", index: this.index, infoHash, source, elapsedMs });
      },
    });
    this.#swarm = swarm;
    // The node's own tick would dial later.
    swarm.tick(clock.now());
    return swarm;
  }

  /** From the store, or from a peer. @throws IntegrityError, DestinationError when the torrent cannot be used. */
  async #readMetadata(found: Promise<Uint8Array>): Promise<Metainfo> {
    const { store, context } = this.#resources;
    const { infoHash } = this.magnet;
    const known = store.metadata(infoHash);
    const infoDict = known ?? (await found);
    const metainfo = parseInfoDict(infoDict);
    if ("error" in metainfo) throw unusableTorrent(metainfo);
    const { name, geometry } = metainfo;
    const elapsedMs = this.#milestones.reached("metadata");
    context.emit({ type: "metadata", index: this.index, name, size: geometry.length, infoHash, elapsedMs });
    if (known === undefined) store.rememberMetadata(infoHash, infoDict);
    return metainfo;
  }

  #watchPatience(): void {
    const { timeoutSeconds } = this.#options;
    this.#endPatience = watchPatience({
      clock: this.#resources.clock,
      timeoutSeconds,
      progress: () => this.#progress(),
      onTimeout: () =>
        this.#fail(
          timeoutError({
            label: this.label,
            timeoutSeconds,
            peers: this.#swarm?.peerCount ?? 0,
            awaited: this.#metainfo === undefined ? "metadata" : "byte",
            wrongInARow: this.#file?.status?.wrongInARow ?? 0,
          }),
        ),
    });
  }

  /** Nothing is waited for while the disk is being checked. */
  #progress(): string | undefined {
    const phase = this.#file?.phase ?? "metadata";
    if (this.#file?.isChecking === true) return undefined;
    return `${phase} ${this.#swarm?.metadataReceived ?? 0} ${this.#file?.status?.downloaded ?? 0}`;
  }
}
