// One attempt to get the metadata from one peer: ut_metadata asks for the pieces and puts them together; this paces
// its requests, checks each answer before it sees it, and judges the whole by its hash.
import utMetadata, { type UtMetadata } from "ut_metadata";
import { scanPrefix } from "../core/format/bencode.ts";
import { METADATA_PIECE_LENGTH, METADATA_REQUEST_WINDOW } from "./limits.ts";
import type { PeerFault } from "../core/torrent/peer-message.ts";
import { bytesEqual } from "../lib/bytes.ts";
import { sha1 } from "../lib/sha1.ts";
import {
  encodeMetadataMessage,
  type MetadataMessage,
  MetadataMessageType,
  parseMetadataMessage,
} from "./metadata-message.ts";

export type FetchOutcome =
  | { readonly type: "metadata"; readonly raw: Uint8Array }
  | { readonly type: "rejected" }
  | { readonly type: "fault"; readonly fault: PeerFault };

export interface MetadataFetchOptions {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** What the peer said, 1..MAX_METADATA_LENGTH. */
  readonly size: number;
  /** Gives a ut_metadata payload to the peer. */
  readonly send: (payload: Uint8Array) => void;
  /** Hears of the bytes of each piece, but for the last. */
  readonly onReceived: (bytes: number) => void;
}

export class MetadataFetch {
  readonly #options: MetadataFetchOptions;
  readonly #library: UtMetadata;
  /** Requests of the library that wait for their turn. */
  readonly #waiting: { readonly piece: number; readonly payload: Uint8Array }[] = [];
  /** The request for each piece that was asked for and has not come. */
  readonly #inFlight = new Map<number, Uint8Array>();
  #missing: number;

  constructor(options: MetadataFetchOptions) {
    const { size } = options;
    this.#options = options;
    this.#missing = Math.ceil(size / METADATA_PIECE_LENGTH);
    // The library is not told the info hash: it would decode the metadata before it checks it.
    const Library = utMetadata();
    this.#library = new Library({ extendedHandshake: {}, extended: (_name, payload) => this.#ask(payload) });
    this.#library.onExtendedHandshake({ m: { ut_metadata: 1 }, metadata_size: size });
    this.#library.fetch();
    this.#sendWaiting();
  }

  /** What the peer said when the attempt began. */
  get size(): number {
    return this.#options.size;
  }

  /** Sends the requests once more that were not answered. */
  repeat(): void {
    for (const payload of this.#inFlight.values()) this.#options.send(payload);
  }

  /** Takes a data or reject message. @returns how the attempt ended, or undefined while it goes on. */
  receive(message: MetadataMessage): FetchOutcome | undefined {
    if (message.piece < 0 || message.piece * METADATA_PIECE_LENGTH >= this.size) return badMetadata;
    // Answers to an earlier attempt that was given up, or the second to a repeated request.
    if (!this.#inFlight.delete(message.piece)) return undefined;
    if (message.type === MetadataMessageType.reject) return { type: "rejected" };
    if (message.totalSize !== undefined && message.totalSize !== this.size) return badMetadata;
    if (message.payload.length !== this.#lengthOf(message.piece)) return badMetadata;

    this.#missing--;
    const outcome = this.#missing === 0 ? this.#judge(message) : undefined;
    if (outcome === undefined) {
      this.#library.onMessage(encodeMetadataMessage(message));
      this.#options.onReceived(message.payload.length);
      this.#sendWaiting();
    }
    return outcome;
  }

  cancel(): void {
    this.#library.cancel();
    this.#waiting.length = 0;
  }

  /** The last piece completes the bytes, which the library may decode only if they are the right ones. */
  #judge(last: MetadataMessage): FetchOutcome {
    const raw = this.#library.metadata ?? new Uint8Array(0);
    raw.set(last.payload, last.piece * METADATA_PIECE_LENGTH);
    if (!bytesEqual(sha1(raw), this.#options.infoHash)) {
      this.cancel();
      return { type: "fault", fault: "hashMismatch" };
    }
    // A magnet may name metadata that hangs the decoder; what to say about it is the caller's business.
    if (scanPrefix(raw) === raw.length) this.#library.onMessage(encodeMetadataMessage(last));
    this.cancel();
    return { type: "metadata", raw };
  }

  #lengthOf(piece: number): number {
    return Math.min(METADATA_PIECE_LENGTH, this.size - piece * METADATA_PIECE_LENGTH);
  }

  #ask(payload: Uint8Array): void {
    const piece = parseMetadataMessage(payload)?.piece;
    if (piece !== undefined) this.#waiting.push({ piece, payload });
  }

  #sendWaiting(): void {
    while (this.#inFlight.size < METADATA_REQUEST_WINDOW) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      this.#inFlight.set(request.piece, request.payload);
      this.#options.send(request.payload);
    }
  }
}

const badMetadata: FetchOutcome = { type: "fault", fault: "badMetadata" };
