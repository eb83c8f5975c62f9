// One magnet of `download`: from the info hash to the verified file under its final name, and its seeding afterwards.
import { printable } from "../../core/format/file-name.ts";
import type { Magnet } from "../../core/format/magnet.ts";
import { type Metainfo, parseInfoDict } from "../../core/format/metainfo.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import { SEEDING_CHECK_MS } from "../limits.ts";
import { DestinationError, IntegrityError, NoPeerError, type P2pfileError } from "../../lib/errors.ts";
import { monotonicMs } from "../clock.ts";
import { LocalFile } from "./local-file.ts";
import { Milestones } from "../report/milestones.ts";
import type { Node } from "../network/node.ts";
import type { DownloadOptions } from "../options.ts";
import { seedUntilEnough, untilTold } from "./seeding.ts";
import type { TransferSnapshot } from "../report/session-event.ts";
import { snapshotOf } from "../network/torrent-snapshot.ts";
import { Swarm } from "../network/swarm.ts";
import type { TransferRunner } from "../file/transfer-runner.ts";
import type { Resources } from "../resources.ts";

export interface DownloadFileOptions {
  readonly index: number;
  /** As given on the command line. */
  readonly text: string;
  readonly magnet: Magnet;
  readonly options: DownloadOptions;
  readonly resources: Resources;
}

export class Download {
  readonly index: number;
  readonly text: string;
  readonly magnet: Magnet;
  readonly #options: DownloadOptions;
  readonly #resources: Resources;
  /** Rejects when the disk fails or nothing arrives for too long. */
  readonly #failed: Promise<never>;
  readonly #fail: (error: unknown) => void;
  readonly #milestones = new Milestones();
  #phase: TransferSnapshot["phase"] = "metadata";
  #file: LocalFile | undefined;
  #metainfo: Metainfo | undefined;
  #swarm: Swarm | undefined;
  #runner: TransferRunner | undefined;
  #removeProgress: () => void = () => {};
  #patience: ReturnType<typeof setInterval> | undefined;

  constructor(options: DownloadFileOptions) {
    this.index = options.index;
    this.text = options.text;
    this.magnet = options.magnet;
    this.#options = options.options;
    this.#resources = options.resources;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.#failed = promise;
    this.#fail = reject;
  }

  /** What to call it towards the user: the name, as far as it is known. */
  get label(): string {
    return this.#metainfo?.name ?? this.magnet.name ?? this.magnet.infoHash;
  }

  /**
   * Resolves when the file is complete and, with `--seeding`, seeded enough.
   * @throws P2pfileError when this magnet cannot be fetched; what was fetched stays for the next run.
   */
  async run(bootstrap: readonly PeerAddress[]): Promise<void> {
    const node = await this.#resources.node(undefined, bootstrap);
    try {
      await Promise.race([this.#failed, this.#fetch(node)]);
    } finally {
      clearInterval(this.#patience);
      this.#removeProgress();
      this.#swarm?.close();
    }
  }

  /** After the network is closed: what is verified is recorded, so that the next run goes on from it. */
  async close(): Promise<void> {
    this.#runner?.stop();
    await this.#file?.close();
  }

  async #fetch(node: Node): Promise<void> {
    const { store } = this.#resources;
    const { infoHash } = this.magnet;
    const metadata = Promise.withResolvers<Uint8Array>();
    const known = store.metadata(infoHash);
    const swarm = this.#join(node, known, metadata.resolve);
    this.#watchPatience();
    const infoDict = known ?? (await metadata.promise);
    const metainfo = parseInfoDict(infoDict);
    if ("error" in metainfo) throw unusable(metainfo);
    this.#metainfo = metainfo;
    const { name, geometry } = metainfo;
    const { context } = this.#resources;
    const elapsedMs = this.#milestones.reached("metadata");
    context.emit({ type: "metadata", index: this.index, name, size: geometry.length, infoHash, elapsedMs });
    if (known === undefined) store.rememberMetadata(infoHash, infoDict);

    this.#phase = "checking";
    this.#removeProgress = this.#resources.progress.add((now) => this.#snapshot(metainfo, swarm, now));
    const file = await LocalFile.open({
      metainfo,
      directory: this.#options.directory,
      resources: this.#resources,
      onProgress: (done) =>
        context.emit({ type: "hashing", index: this.index, name, done, size: geometry.length }),
      onFailure: this.#fail,
    });
    this.#file = file;
    this.#phase = file.isComplete ? "seeding" : "downloading";
    const completed = Promise.withResolvers<void>();
    this.#runner = file.run({
      node,
      swarm,
      onCompleted: completed.resolve,
      onVerified: () => this.#pieceArrived(),
    });
    swarm.start(this.#runner);
    const wasComplete = file.isComplete;
    if (!wasComplete) await completed.promise;
    await this.#complete(metainfo, file, swarm);
    if (this.#options.seeding) await this.#seed(metainfo, swarm);
    else if (wasComplete) await untilTold(() => swarm.gossip.hasListeners, context.signal);
  }

  async #complete(metainfo: Metainfo, file: LocalFile, swarm: Swarm): Promise<void> {
    clearInterval(this.#patience);
    const path = await file.finish();
    const elapsedMs = this.#milestones.reached("done");
    swarm.gossip.say("done");
    this.#phase = "seeding";
    this.#resources.progress.report();
    this.#resources.context.emit({
      type: "completed",
      index: this.index,
      name: metainfo.name,
      path,
      size: metainfo.geometry.length,
      infoHash: metainfo.infoHash,
      elapsedMs,
      existed: file.existed,
      moments: this.#milestones.moments,
    });
  }

  async #seed(metainfo: Metainfo, swarm: Swarm): Promise<void> {
    swarm.announceCompletion();
    const { context } = this.#resources;
    const size = metainfo.geometry.length;
    const result = await seedUntilEnough({
      goal: { seconds: this.#options.seedingSeconds, ratio: this.#options.seedingRatio },
      size,
      uploaded: () => this.#runner?.transfer.status(monotonicMs()).uploaded ?? 0,
      isSomebodyNeedy: () => swarm.gossip.isSomebodyNeedy,
      signal: context.signal,
    });
    if (result === undefined) return;
    context.emit({
      type: "seedingEnded",
      index: this.index,
      name: metainfo.name,
      ...result,
      ratio: result.uploaded / size,
      moments: this.#milestones.moments,
    });
  }

  #join(node: Node, infoDict: Uint8Array | undefined, onMetadata: (infoDict: Uint8Array) => void): Swarm {
    const { infoHash, peers } = this.magnet;
    const swarm = new Swarm({
      node,
      infoHash,
      infoDict,
      pinned: [
        ...peers.map((address) => ({ address, source: "magnet" as const })),
        ...this.#options.peers.map((address) => ({ address, source: "flag" as const })),
      ],
      state: "leeching",
      onMetadata,
      onFirstPeer: (source) =>
        this.#resources.context.emit({
          type: "firstPeer",
          index: this.index,
          infoHash,
          source,
          elapsedMs: this.#milestones.reached("firstPeer"),
        }),
    });
    this.#swarm = swarm;
    node.add(swarm);
    // The heart beat would dial only a tick later.
    swarm.tick(monotonicMs());
    return swarm;
  }

  #pieceArrived(): void {
    if (this.#milestones.moments.firstPiece !== undefined) return;
    const elapsedMs = this.#milestones.reached("firstPiece");
    const { emit } = this.#resources.context;
    emit({ type: "firstPiece", index: this.index, infoHash: this.magnet.infoHash, elapsedMs });
  }

  /** `--timeout`: gives up when neither metadata nor a byte arrived for that long. */
  #watchPatience(): void {
    const { timeoutSeconds } = this.#options;
    if (timeoutSeconds === 0) return;
    let seen = "";
    let since = monotonicMs();
    this.#patience = setInterval(() => {
      const now = monotonicMs();
      const state = `${this.#phase} ${this.#runner?.transfer.status(now).downloaded ?? 0}`;
      if (state !== seen || this.#phase === "checking") {
        seen = state;
        since = now;
      } else if (now - since >= timeoutSeconds * 1000) this.#fail(this.#timeoutError());
    }, SEEDING_CHECK_MS);
  }

  #timeoutError(): P2pfileError {
    const wrong = this.#runner?.transfer.status(monotonicMs()).wrongInARow ?? 0;
    if (wrong > 0) {
      return new IntegrityError(
        `${printable(this.label)}: no peer has good data: the last pieces that arrived were wrong (${wrong}); check the seeds' disks and memory`,
      );
    }
    const what = this.#metainfo === undefined ? "metadata" : "byte";
    return new NoPeerError(
      `${printable(this.label)}: no ${what} arrived for ${this.#options.timeoutSeconds} s; check that a seed is up and that its address can be reached`,
    );
  }

  #snapshot(metainfo: Metainfo, swarm: Swarm, now: number): TransferSnapshot {
    return snapshotOf(
      { index: this.index, phase: this.#phase, metainfo, swarm, transfer: this.#runner?.transfer },
      now,
    );
  }
}

function unusable(problem: { readonly error: string }): Error {
  const message = `the torrent cannot be used: ${problem.error}`;
  return problem.error.startsWith("the file name")
    ? new DestinationError(message)
    : new IntegrityError(message);
}
