// Bytes of a connection that the rate limits do not know of yet. The core charges blocks when it orders or requests them; handshakes,
// requests, haves and all other messages are measured here.
import { BLOCK_HEADER_LENGTH } from "../../core/torrent/peer-message.ts";
import { MAX_BLOCK_FRAME_LENGTH } from "../../wire/limits.ts";

export class OverheadMeter {
  #received = 0;
  /** Charged bytes, each way. */
  #chargedIn = 0;
  #chargedOut = 0;

  /** A chunk of the socket, of any content. */
  received(bytes: number): void {
    this.#received += bytes;
  }

  /** `payload` bytes of a block; its header was charged as other traffic. */
  blockReceived(payload: number): void {
    this.#chargedIn += payload;
  }

  blockSent(payload: number): void {
    this.#chargedOut += payload + BLOCK_HEADER_LENGTH;
  }

  /** @returns received bytes to charge now. Half a block at the end of a chunk is no overhead: its end is still to come. */
  takeReceived(): number {
    const overhead = Math.max(0, this.#received - this.#chargedIn - MAX_BLOCK_FRAME_LENGTH);
    this.#chargedIn += overhead;
    return overhead;
  }

  /** `output`: bytes queued since the beginning. @returns those to charge now. */
  takeSent(output: number): number {
    const overhead = Math.max(0, output - this.#chargedOut);
    this.#chargedOut += overhead;
    return overhead;
  }
}
