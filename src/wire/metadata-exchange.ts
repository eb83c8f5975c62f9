// The metadata exchange of one connection (BEP 9) in both directions: the size that the peer offers, the current fetch, and
// the metadata that we serve. MetadataFetch and MetadataServer guard ut_metadata. Knows no clock: the caller cancels.
import type { PeerFault } from "../core/torrent/peer-message.ts";
import { MetadataFetch } from "./metadata-fetch.ts";
import { type MetadataMessage, MetadataMessageType, parseMetadataMessage } from "./metadata-message.ts";
import { MetadataServer } from "./metadata-server.ts";

export class MetadataExchange {
  readonly #send: (payload: Uint8Array) => void;
  readonly #server: MetadataServer;
  #offeredSize: number | undefined;
  #fetch: MetadataFetch | undefined;
  #result: Promise<Uint8Array | undefined> = Promise.resolve(undefined);
  #settle: ((raw: Uint8Array | undefined) => void) | undefined;

  /** `send` sends a ut_metadata payload to the peer. */
  constructor(send: (payload: Uint8Array) => void) {
    this.#send = send;
    this.#server = new MetadataServer(send);
  }

  /** Bytes of metadata that the peer offers, 1..MAX_METADATA_LENGTH; undefined while it offers none. */
  get offeredSize(): number | undefined {
    return this.#offeredSize;
  }

  /** The peer's `metadata_size`; undefined leaves an earlier offer in place. */
  offer(size: number | undefined): void {
    if (size !== undefined) this.#offeredSize = size;
  }

  /**
   * Fetches the metadata. A second call repeats the unanswered requests and keeps the received pieces; after an offer of
   * another size it starts again.
   * @param infoHash 20 bytes.
   * @param onReceived is called with the bytes of each piece but the last.
   * @returns the verified bytes; undefined when the peer offers none, rejects, fails the hash or `cancel` is called.
   */
  fetch(
    infoHash: Uint8Array,
    onReceived: (bytes: number) => void = () => {},
  ): Promise<Uint8Array | undefined> {
    if (this.#fetch !== undefined && this.#fetch.size === this.#offeredSize) {
      this.#fetch.repeat();
      return this.#result;
    }
    this.cancel();
    if (this.#offeredSize === undefined) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
    this.#result = promise;
    this.#settle = resolve;
    this.#fetch = new MetadataFetch({ infoHash, size: this.#offeredSize, send: this.#send, onReceived });
    return promise;
  }

  cancel(): void {
    this.#fetch?.cancel();
    this.#end(undefined);
  }

  setMetadata(raw: Uint8Array): void {
    this.#server.setMetadata(raw);
  }

  drained(): void {
    this.#server.drained();
  }

  /** Takes a ut_metadata payload from the peer. @returns the fault that it shows, or undefined. */
  receive(payload: Uint8Array): PeerFault | undefined {
    const message = parseMetadataMessage(payload);
    if (message === undefined) return "badMetadata";
    try {
      return this.#handle(message);
    } catch {
      // The library throws on bad input from the peer only.
      return "badMetadata";
    }
  }

  #handle(message: MetadataMessage): PeerFault | undefined {
    switch (message.type) {
      case MetadataMessageType.request:
        return this.#server.request(message.piece) ? undefined : "badMetadata";
      case MetadataMessageType.data:
      case MetadataMessageType.reject: {
        const outcome = this.#fetch?.receive(message);
        if (outcome === undefined) return undefined;
        this.#end(outcome.type === "metadata" ? outcome.raw : undefined);
        return outcome.type === "fault" ? outcome.fault : undefined;
      }
      default:
        // BEP 9: messages of an unknown type must be ignored.
        return undefined;
    }
  }

  #end(raw: Uint8Array | undefined): void {
    this.#fetch = undefined;
    this.#settle?.(raw);
    this.#settle = undefined;
  }
}
