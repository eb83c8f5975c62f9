// The metadata exchange of one connection (BEP 9), both ways: what the peer offers, the attempt under way, and what we
// serve. The guards around ut_metadata live in MetadataFetch and MetadataServer. Knows no clock: the caller cancels.
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

  /** `send` gives a ut_metadata payload to the peer. */
  constructor(send: (payload: Uint8Array) => void) {
    this.#send = send;
    this.#server = new MetadataServer(send);
  }

  /** Bytes of metadata that the peer says it has, 1..MAX_METADATA_LENGTH. */
  get offeredSize(): number | undefined {
    return this.#offeredSize;
  }

  offer(size: number | undefined): void {
    if (size !== undefined) this.#offeredSize = size;
  }

  /**
   * `infoHash`: 20 bytes. `onReceived` hears of the bytes of each piece. A second call asks once more for the pieces
   * that were asked for and did not come, and keeps the others; when the peer offers another size it begins anew.
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

  /** `payload` is foreign. @returns the fault it shows. */
  receive(payload: Uint8Array): PeerFault | undefined {
    const message = parseMetadataMessage(payload);
    if (message === undefined) return "badMetadata";
    try {
      return this.#handle(message);
    } catch {
      // Whatever the library trips over came from the peer.
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
        // BEP 9: unknown types are for later versions.
        return undefined;
    }
  }

  #end(raw: Uint8Array | undefined): void {
    this.#fetch = undefined;
    this.#settle?.(raw);
    this.#settle = undefined;
  }
}
