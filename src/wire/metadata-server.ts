// Serves the metadata to one peer (BEP 9): ut_metadata makes the answers; this class checks the requests and sends no more
// answers than the connection takes.
import utMetadata, { type UtMetadata } from "ut_metadata";
import { scanPrefix } from "../core/format/bencode.ts";
import {
  MAX_METADATA_REQUESTS_QUEUED,
  MAX_METADATA_REQUESTS_SERVED,
  METADATA_PIECE_LENGTH,
  METADATA_SEND_BURST,
} from "./limits.ts";
import { present } from "../lib/assert.ts";
import { encodeMetadataMessage, MetadataMessageType } from "./metadata-message.ts";

export class MetadataServer {
  readonly #send: (payload: Uint8Array) => void;
  #raw: Uint8Array | undefined;
  /** Made for the first request: most peers send none. */
  #library: UtMetadata | undefined;
  /** Checked piece indices. */
  readonly #queue: number[] = [];
  #burst = METADATA_SEND_BURST;
  #requests = 0;

  constructor(send: (payload: Uint8Array) => void) {
    this.#send = send;
  }

  /** `raw` is the info dict, checked by parseInfoDict. */
  setMetadata(raw: Uint8Array): void {
    this.#raw = raw;
  }

  /** @returns false when the peer exceeds MAX_METADATA_REQUESTS_SERVED. */
  request(piece: number): boolean {
    if (++this.#requests > MAX_METADATA_REQUESTS_SERVED) return false;
    const count = Math.ceil((this.#raw?.length ?? 0) / METADATA_PIECE_LENGTH);
    if (piece < 0 || piece >= count || this.#queue.length >= MAX_METADATA_REQUESTS_QUEUED) {
      this.#send(encode(MetadataMessageType.reject, piece));
      return true;
    }
    this.#queue.push(piece);
    this.#serve();
    return true;
  }

  /** The connection's output is empty: sends the next burst. */
  drained(): void {
    this.#burst = METADATA_SEND_BURST;
    this.#serve();
  }

  #serve(): void {
    while (this.#queue.length > 0 && this.#burst > 0) {
      const piece = present(this.#queue.shift());
      this.#burst--;
      this.#library ??= this.#start();
      if (this.#library === undefined) this.#send(encode(MetadataMessageType.reject, piece));
      else this.#library.onMessage(encode(MetadataMessageType.request, piece));
    }
  }

  /** @returns undefined for metadata that the library would not serve byte for byte. */
  #start(): UtMetadata | undefined {
    if (this.#raw === undefined || scanPrefix(this.#raw) !== this.#raw.length) return undefined;
    // Without an info hash the library does not hash the metadata again for every peer.
    const Library = utMetadata(this.#raw);
    const library = new Library({
      extendedHandshake: {},
      extended: (_name, payload) => this.#send(payload),
    });
    // The library takes a dictionary with an `info` key for a whole .torrent and would serve other bytes.
    return library.metadata === this.#raw ? library : undefined;
  }
}

function encode(type: number, piece: number): Uint8Array {
  return encodeMetadataMessage({ type, piece, totalSize: undefined, payload: new Uint8Array(0) });
}
