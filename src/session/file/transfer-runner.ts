// Runs a Transfer: turns its effects into calls on connections and on the file's content, and their answers into events.
// It decides nothing; the bytes of a block go from the wire's view into the content and never further.
import { assert, assertNever } from "../../lib/assert.ts";
import type { P2pfileError } from "../../lib/errors.ts";
import { BLOCK_LENGTH } from "../../core/torrent/limits.ts";
import type { PeerHandle, PieceIndex } from "../../core/torrent/ids.ts";
import type { Metainfo } from "../../core/format/metainfo.ts";
import type { Block, PeerFault, PeerMessage } from "../../core/torrent/peer-message.ts";
import type { Transfer } from "../../core/transfer/transfer.ts";
import type { TransferEffect, TransferEvent } from "../../core/transfer/transfer-types.ts";
import type { FileContent, LoadResult } from "./file-content.ts";
import { localFailure } from "./local-failure.ts";

/** What the runner needs of a connected peer. */
export interface RunnerPeer {
  send(message: PeerMessage): void;
  /** `payload` is copied before this returns. */
  sendBlock(block: Block, payload: Uint8Array): void;
  close(fault: PeerFault): void;
}

export interface TransferRunnerOptions {
  readonly transfer: Transfer;
  readonly metainfo: Metainfo;
  readonly content: FileContent;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly peerOf: (handle: PeerHandle) => RunnerPeer | undefined;
  readonly banDisconnected: (handle: PeerHandle) => void;
  /** The piece is right and stands in the file: it is to be recorded. */
  readonly onVerified: (piece: PieceIndex) => void;
  readonly onCompleted: () => void;
  /** The disk or a worker failed: the transfer cannot go on. Called once. */
  readonly onFailure: (error: P2pfileError) => void;
  readonly onPieceFailed: (piece: PieceIndex) => void;
}

export class TransferRunner {
  readonly transfer: Transfer;
  readonly metainfo: Metainfo;
  readonly #options: TransferRunnerOptions;
  #stopped = false;

  constructor(options: TransferRunnerOptions) {
    this.#options = options;
    this.transfer = options.transfer;
    this.metainfo = options.metainfo;
  }

  /** Verified bytes of the file, 0 to 1. */
  get progress(): number {
    return this.transfer.status(this.#options.now()).completedBytes / this.metainfo.geometry.length;
  }

  /** `payload`: the bytes of a received block, valid during the call. */
  dispatch(event: TransferEvent, payload?: Uint8Array): void {
    if (this.#stopped) return;
    for (const effect of this.transfer.handle(event, this.#options.now())) this.#run(effect, payload);
  }

  /** From then on no event is handled, and answers under way are dropped. */
  stop(): void {
    this.#stopped = true;
  }

  #run(effect: TransferEffect, payload: Uint8Array | undefined): void {
    const { content, peerOf } = this.#options;
    switch (effect.type) {
      case "send":
        peerOf(effect.peer)?.send(effect.message);
        break;
      case "serveBlock":
        this.#serve(effect.peer, effect.block);
        break;
      case "writeBlock":
        assert(payload !== undefined, "a block that was not received is not written");
        content.write(this.#options.metainfo.geometry.offsetOf(effect.block), payload);
        break;
      case "verifyPiece":
        void this.#verify(effect.piece);
        break;
      case "digestBlocks":
        void this.#digestBlocks(effect.piece);
        break;
      case "pieceVerified": {
        const { geometry } = this.#options.metainfo;
        content.forget(geometry.pieceOffset(effect.piece), geometry.lengthOfPiece(effect.piece));
        this.#options.onVerified(effect.piece);
        break;
      }
      case "pieceFailed":
        this.#options.onPieceFailed(effect.piece);
        break;
      case "closePeer":
        peerOf(effect.peer)?.close(effect.fault);
        break;
      case "banDisconnected":
        this.#options.banDisconnected(effect.peer);
        break;
      case "completed":
        this.#options.onCompleted();
        break;
      default:
        assertNever(effect);
    }
  }

  /** From memory at once where possible, else after the disk answered. */
  #serve(peer: PeerHandle, block: Block): void {
    const { content, metainfo, peerOf } = this.#options;
    const offset = metainfo.geometry.offsetOf(block);
    const bytes = content.cached(offset, block.length);
    if (bytes === undefined)
      content.onLoaded(offset, block.length, (result) => this.#loaded(peer, block, result));
    else peerOf(peer)?.sendBlock(block, bytes);
  }

  #loaded(peer: PeerHandle, block: Block, result: LoadResult): void {
    if (this.#stopped) return;
    switch (result.type) {
      case "loaded":
        if (this.#options.peerOf(peer) !== undefined) this.#serve(peer, block);
        break;
      case "suspended":
        this.dispatch({ type: "serveFailed", peer, block });
        break;
      case "failed":
        this.dispatch({ type: "serveFailed", peer, block });
        this.#fail(result.error);
        break;
      default:
        assertNever(result);
    }
  }

  async #verify(piece: PieceIndex): Promise<void> {
    const { content, metainfo } = this.#options;
    const { geometry } = metainfo;
    try {
      const digest = await content.digest(geometry.pieceOffset(piece), geometry.lengthOfPiece(piece));
      this.dispatch({ type: "pieceHashed", piece, digest });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Of a piece that is not being written to: a wrong one that is not wanted again yet, or a right one. */
  async #digestBlocks(piece: PieceIndex): Promise<void> {
    const { content, metainfo } = this.#options;
    try {
      const digests = await content.hash({
        offset: metainfo.geometry.pieceOffset(piece),
        length: metainfo.geometry.lengthOfPiece(piece),
        pieceLength: BLOCK_LENGTH,
      });
      this.dispatch({ type: "blocksHashed", piece, digests });
    } catch (error) {
      // Once the file is complete, which peer sent a wrong block does not matter.
      if (!this.transfer.isComplete) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.onFailure(localFailure(this.#options.content.path, error));
  }
}
