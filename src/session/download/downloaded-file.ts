// One file of `download` once its metadata is known: what is on the disk is checked, the rest fetched, the complete file put
// under its final name, and seeded if asked, watched for change.
import type { Metainfo } from "../../core/format/metainfo.ts";
import type { TransferStatus } from "../../core/transfer/transfer-types.ts";
import { assert } from "../../lib/assert.ts";
import type { OutputPlace } from "../../storage/output-place.ts";
import type { StampedFile } from "../../storage/stamped-file.ts";
import { seededFileFailure } from "../file/content-failure.ts";
import { ContentWatch } from "../file/content-watch.ts";
import { localFailure } from "../file/local-failure.ts";
import { startTransfer } from "../file/start-transfer.ts";
import type { TransferRunner } from "../file/transfer-runner.ts";
import type { JoinedSwarm, SessionNode } from "../network/session-node.ts";
import { snapshotOf } from "../network/torrent-snapshot.ts";
import type { DownloadOptions } from "../options.ts";
import type { Milestones } from "../report/milestones.ts";
import type { TransferSnapshot } from "../report/session-event.ts";
import type { Resources } from "../resources.ts";
import { openLocalFile } from "./local-file.ts";
import type { LocalFile } from "./local-file-types.ts";
import { seedUntilEnough, untilTold } from "./seeding.ts";

export interface DownloadedFileOptions {
  readonly index: number;
  readonly metainfo: Metainfo;
  readonly place: OutputPlace;
  readonly isExecutable: boolean;
  readonly options: DownloadOptions;
  readonly resources: Resources;
  readonly node: SessionNode;
  readonly swarm: JoinedSwarm;
  readonly milestones: Milestones;
  /** Aborted: the session or this download has ended, and nothing more is reported. */
  readonly signal: AbortSignal;
  /** All pieces are verified; the file gets its final name. */
  readonly onComplete: () => void;
  /** The disk failed, or the file changed while it was seeded. */
  readonly onFailure: (error: unknown) => void;
}

export class DownloadedFile {
  readonly #options: DownloadedFileOptions;
  #phase: TransferSnapshot["phase"] = "checking";
  #isChecking = false;
  #file: LocalFile | undefined;
  #runner: TransferRunner | undefined;
  #watch: ContentWatch | undefined;

  constructor(options: DownloadedFileOptions) {
    this.#options = options;
  }

  get phase(): TransferSnapshot["phase"] {
    return this.#phase;
  }

  /** What was in the part file is being hashed: nothing need arrive meanwhile. */
  get isChecking(): boolean {
    return this.#phase === "checking" || this.#isChecking;
  }

  /** Undefined while the disk is being checked. */
  get status(): TransferStatus | undefined {
    return this.#runner?.transfer.status(this.#options.resources.clock.now());
  }

  snapshot(now: number): TransferSnapshot {
    const { index, metainfo, swarm } = this.#options;
    return snapshotOf({ index, phase: this.#phase, metainfo, swarm, transfer: this.#runner?.transfer }, now);
  }

  /**
   * Resolves when the file is complete and, with `--seeding`, seeded enough.
   * @throws P2pfileError when the file cannot be opened, checked or put into place.
   */
  async run(): Promise<void> {
    const { options, swarm, signal, resources, onComplete } = this.#options;
    const file = await this.#open();
    const wasComplete = file.have.isFull;
    this.#phase = wasComplete ? "seeding" : "downloading";
    const completed = this.#start(file);
    if (!wasComplete) await Promise.all([completed, this.#check(file)]);
    onComplete();
    const finished = await file.finish();
    this.#reportCompletion(finished.path, file.existed);
    if (options.seeding) await this.#seed(file, finished);
    await untilTold(() => swarm.gossip.isReported(), signal, resources.clock);
  }

  /** After the network is closed: what is verified is recorded, so that the next run goes on from it. */
  async close(): Promise<void> {
    await this.#watch?.close();
    this.#runner?.stop();
    await this.#file?.close();
  }

  async #open(): Promise<LocalFile> {
    const { index, metainfo, place, isExecutable, resources, onFailure } = this.#options;
    const { emit } = resources.context;
    const { name, geometry } = metainfo;
    this.#file = await openLocalFile({
      // The file may have another name than the torrent.
      metainfo: { ...metainfo, name: place.fileName ?? name },
      directory: place.directory,
      isExecutable,
      resources,
      onProgress: (done) => {
        // What is checked beside the transfer shows in its progress.
        if (this.#phase === "checking") emit({ type: "hashing", index, name, done, size: geometry.length });
      },
      onPressure: (paused) => this.#pause(paused),
      onFailure,
    });
    return this.#file;
  }

  /** Begins to trade the file's pieces. Resolves when all are verified. */
  #start(file: LocalFile): Promise<void> {
    const { metainfo, resources, node, swarm, onFailure } = this.#options;
    const { context, clock } = resources;
    const completed = Promise.withResolvers<void>();
    this.#runner = startTransfer({
      metainfo,
      content: file.content,
      have: file.have,
      unchecked: file.unchecked,
      clock,
      node,
      swarm,
      onVerified: (piece) => {
        file.verified(piece);
        // One that was found in the part file is not the first to arrive.
        if (this.status?.downloaded !== 0) this.#reportFirstPiece();
      },
      onCompleted: completed.resolve,
      onPieceFailed: (piece) => context.logger.debug(`piece ${piece} failed its hash and is fetched again`),
      onFailure,
    });
    swarm.start(this.#runner);
    return completed.promise;
  }

  /** What the part file may hold besides is hashed while the rest is fetched. */
  async #check(file: LocalFile): Promise<void> {
    this.#isChecking = true;
    try {
      await file.check((piece, isRight) => this.#runner?.dispatch({ type: "pieceChecked", piece, isRight }));
    } catch (error) {
      this.#options.onFailure(localFailure(file.content.path, error));
    } finally {
      this.#isChecking = false;
    }
  }

  /** The disk is behind, or has caught up. */
  #pause(paused: boolean): void {
    this.#options.swarm.setPaused(paused);
    this.#runner?.dispatch({ type: "paused", paused });
  }

  /** The file has its public name: from then on any program may change it. */
  async #seed({ content }: LocalFile, file: StampedFile): Promise<void> {
    const { index, metainfo, options, resources, swarm, milestones, signal, onFailure } = this.#options;
    const { context, clock } = resources;
    const { logger } = context;
    const failure = seededFileFailure;
    swarm.announceCompletion();
    const watch = new ContentWatch({ file, content, metainfo, clock, logger, failure, onFailure });
    this.#watch = watch;
    const size = metainfo.geometry.length;
    const result = await seedUntilEnough({
      goal: { seconds: options.seedingSeconds, ratio: options.seedingRatio },
      size,
      uploaded: () => this.#uploaded,
      isDataNeeded: () => swarm.gossip.isAnyHostNeedy,
      signal,
      clock,
    });
    await watch.close();
    if (result === undefined) return;
    const ratio = result.uploaded / size;
    const { moments } = milestones;
    context.emit({ type: "seedingEnded", index, name: metainfo.name, ...result, ratio, moments });
  }

  get #uploaded(): number {
    const { status } = this;
    assert(status !== undefined, "a file that is not traded is not seeded");
    return status.uploaded;
  }

  #reportFirstPiece(): void {
    const { index, metainfo, resources, milestones } = this.#options;
    if (milestones.moments.firstPiece !== undefined) return;
    const elapsedMs = milestones.reached("firstPiece");
    resources.context.emit({ type: "firstPiece", index, infoHash: metainfo.infoHash, elapsedMs });
  }

  #reportCompletion(path: string, existed: boolean): void {
    const { index, metainfo, resources, swarm, milestones } = this.#options;
    const { name, infoHash, geometry } = metainfo;
    const elapsedMs = milestones.reached("done");
    const { moments } = milestones;
    swarm.gossip.say("done");
    this.#phase = "seeding";
    resources.progress.report();
    const size = geometry.length;
    resources.context.emit({
      type: "completed",
      index,
      name,
      path,
      size,
      infoHash,
      elapsedMs,
      existed,
      moments,
    });
  }
}
