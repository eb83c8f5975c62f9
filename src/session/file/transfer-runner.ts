// Runs a Transfer: turns its effects into calls on wires, storage and hash workers, and their answers into events.
// It decides nothing; the bytes of a block go from the wire's view into the writer's span and never further.
import { assertNever } from "../../lib/assert.ts";
import type { P2pfileError } from "../../lib/errors.ts";
import { BLOCK_LENGTH } from "../../core/torrent/limits.ts";
import { type PeerHandle, type PieceIndex, pieceIndex } from "../../core/torrent/ids.ts";
import type { Metainfo } from "../../core/format/metainfo.ts";
import type { Block, PeerFault, PeerMessage } from "../../core/torrent/peer-message.ts";
import type { Transfer } from "../../core/transfer/transfer.ts";
import type { TransferEffect, TransferEvent } from "../../core/transfer/transfer-types.ts";
import type { HashPool } from "../../hashing/hash-pool.ts";
import { monotonicMs } from "../clock.ts";
import type { FileContent } from "./file-content.ts";
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
  readonly pool: HashPool;
  readonly peerOf: (handle: PeerHandle) => RunnerPeer | undefined;
  readonly banDisconnected: (handle: PeerHandle) => void;
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
  #suspended = false;

  constructor(options: TransferRunnerOptions) {
    this.#options = options;
    this.transfer = options.transfer;
    this.metainfo = options.metainfo;
  }

  /** `payload`: the bytes of a received block, valid during the call. */
  dispatch(event: TransferEvent, payload?: Uint8Array): void {
    if (this.#stopped) return;
    for (const effect of this.transfer.handle(event, monotonicMs())) this.#run(effect, payload);
  }

  /** No event is handled any more; answers under way are dropped. */
  stop(): void {
    this.#stopped = true;
  }

  /** While suspended no byte of the file leaves: requests are refused. */
  suspend(suspended: boolean): void {
    this.#suspended = suspended;
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
        if (payload !== undefined)
          content.writer?.write(this.#options.metainfo.geometry.offsetOf(effect.block), payload);
        break;
      case "verifyPiece":
        void this.#verify(effect.piece);
        break;
      case "digestBlocks":
        void this.#digestBlocks(effect.piece);
        break;
      case "pieceVerified": {
        const { geometry } = this.#options.metainfo;
        content.reader.forget(geometry.pieceOffset(effect.piece), geometry.lengthOfPiece(effect.piece));
        content.onVerified(effect.piece);
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
  #serve(handle: PeerHandle, block: Block): void {
    if (this.#suspended) return this.#refuse(handle, block);
    const { content, metainfo, peerOf } = this.#options;
    const offset = metainfo.geometry.offsetOf(block);
    const bytes = content.reader.cached(offset, block.length);
    if (bytes === undefined) this.#serveLater(handle, block, offset);
    else peerOf(handle)?.sendBlock(block, bytes);
  }

  #refuse(handle: PeerHandle, block: Block): void {
    queueMicrotask(() => this.dispatch({ type: "serveFailed", peer: handle, block }));
  }

  #serveLater(handle: PeerHandle, block: Block, offset: number): void {
    const { content, peerOf } = this.#options;
    content.reader.onLoaded(offset, block.length, (error) => {
      if (this.#stopped) return;
      if (error === undefined) {
        if (peerOf(handle) !== undefined) this.#serve(handle, block);
        return;
      }
      this.dispatch({ type: "serveFailed", peer: handle, block });
      this.#fail(error);
    });
  }

  async #verify(piece: PieceIndex): Promise<void> {
    const { content, metainfo, pool } = this.#options;
    const offset = metainfo.geometry.pieceOffset(piece);
    const length = metainfo.geometry.lengthOfPiece(piece);
    try {
      // Usually the piece was hashed on its way to the file; one that went there in parts is hashed from the map.
      const hashed = await content.writer?.flush(offset, length);
      if (this.#stopped) return;
      const digest = hashed ?? (await pool.hashPiece(content, offset, length, true));
      this.dispatch({ type: "pieceHashed", piece: pieceIndex(piece), digest });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Of a piece that nobody writes to: a wrong one that is not wanted again yet, or a right one. */
  async #digestBlocks(piece: PieceIndex): Promise<void> {
    const { content, metainfo, pool } = this.#options;
    try {
      const digests = await pool.hashRange({
        path: content.path,
        fd: content.fd,
        offset: metainfo.geometry.pieceOffset(piece),
        length: metainfo.geometry.lengthOfPiece(piece),
        pieceLength: BLOCK_LENGTH,
        exclusive: true,
      });
      this.dispatch({ type: "blocksHashed", piece, digests });
    } catch (error) {
      // A complete file leaves its place, and who lied does not matter any more.
      if (!this.transfer.isComplete) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.onFailure(localFailure(this.#options.content.path, error));
  }
}
