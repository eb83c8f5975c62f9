// One fetch of the metadata from one peer (BEP 9). ut_metadata makes the requests and joins the pieces; this class paces the
// requests, checks each answer before the library sees it, and verifies the whole by its hash.
import utMetadata, { type UtMetadata } from "ut_metadata";
import { scanPrefix } from "../core/format/bencode.ts";
import { METADATA_PIECE_LENGTH, METADATA_REQUEST_WINDOW } from "./limits.ts";
import type { PeerFault } from "../core/torrent/peer-message.ts";
import { present } from "../lib/assert.ts";
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
  /** The peer's `metadata_size` in bytes, 1..MAX_METADATA_LENGTH. */
  readonly size: number;
  /** Sends a ut_metadata payload to the peer. */
  readonly send: (payload: Uint8Array) => void;
  /** Called with the bytes of each piece but the last. */
  readonly onReceived: (bytes: number) => void;
}

export class MetadataFetch {
  readonly #options: MetadataFetchOptions;
  readonly #library: UtMetadata;
  /** Requests of the library beyond the window. */
  readonly #waiting: { readonly piece: number; readonly payload: Uint8Array }[] = [];
  /** Outstanding requests by piece. */
  readonly #inFlight = new Map<number, Uint8Array>();
  #missing: number;

  constructor(options: MetadataFetchOptions) {
    const { size } = options;
    this.#options = options;
    this.#missing = Math.ceil(size / METADATA_PIECE_LENGTH);
    // Without the info hash: with it the library would decode the metadata before it checks the hash.
    const Library = utMetadata();
    this.#library = new Library({
      extendedHandshake: {},
      extended: (_name, payload) => this.#enqueue(payload),
    });
    this.#library.onExtendedHandshake({ m: { ut_metadata: 1 }, metadata_size: size });
    this.#library.fetch();
    this.#sendWaiting();
  }

  /** The peer's `metadata_size` at the start of the fetch. */
  get size(): number {
    return this.#options.size;
  }

  /** Repeats the outstanding requests. */
  repeat(): void {
    for (const payload of this.#inFlight.values()) this.#options.send(payload);
  }

  /** Takes a data or reject message. @returns the outcome, or undefined while the fetch goes on. */
  receive(message: MetadataMessage): FetchOutcome | undefined {
    if (message.piece < 0 || message.piece * METADATA_PIECE_LENGTH >= this.size) return badMetadata;
    // An answer to a cancelled fetch, or the second answer to a repeated request.
    if (!this.#inFlight.delete(message.piece)) return undefined;
    if (message.type === MetadataMessageType.reject) return { type: "rejected" };
    if (message.totalSize !== undefined && message.totalSize !== this.size) return badMetadata;
    if (message.payload.length !== this.#lengthOf(message.piece)) return badMetadata;

    this.#missing--;
    const outcome = this.#missing === 0 ? this.#verify(message) : undefined;
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

  /** The last piece completes the bytes. The library decodes them, so it gets this piece only if the hash is right. */
  #verify(last: MetadataMessage): FetchOutcome {
    const raw = present(this.#library.metadata);
    raw.set(last.payload, last.piece * METADATA_PIECE_LENGTH);
    if (!bytesEqual(sha1(raw), this.#options.infoHash)) {
      this.cancel();
      return { type: "fault", fault: "hashMismatch" };
    }
    // Metadata with the right hash may still hang the decoder: the caller gets it and refuses it.
    if (scanPrefix(raw) === raw.length) this.#library.onMessage(encodeMetadataMessage(last));
    this.cancel();
    return { type: "metadata", raw };
  }

  #lengthOf(piece: number): number {
    return Math.min(METADATA_PIECE_LENGTH, this.size - piece * METADATA_PIECE_LENGTH);
  }

  #enqueue(payload: Uint8Array): void {
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
