// What a peer said before the metadata told how many pieces there are, as state and not as a list: any number of
// messages takes at most 64 KiB, and honest peers that chatter for long lose nothing.
import { MAX_HELD_ALLOWED_FAST } from "./limits.ts";
import { MAX_PIECE_COUNT } from "../core/torrent/limits.ts";
import { assertNever } from "../lib/assert.ts";
import type { HeardMessage } from "./heard-message.ts";

export class HeldMessages {
  #pieceState: HeardMessage | undefined;
  /** One bit for each possible piece, made when the first have comes. */
  #haves: Uint8Array | undefined;
  readonly #allowedFast = new Set<number>();
  #unchoked = false;
  #interested = false;

  /** @returns false for an index that no torrent we accept can have. */
  keep(message: HeardMessage): boolean {
    switch (message.type) {
      case "choke":
      case "unchoke":
        this.#unchoked = message.type === "unchoke";
        return true;
      case "interested":
      case "notInterested":
        this.#interested = message.type === "interested";
        return true;
      case "bitfield":
      case "haveAll":
      case "haveNone":
        this.#pieceState = message;
        return true;
      case "have":
        if (!isPossible(message.index)) return false;
        this.#haves ??= new Uint8Array(MAX_PIECE_COUNT / 8);
        this.#haves[message.index >>> 3] =
          (this.#haves[message.index >>> 3] ?? 0) | (0x80 >>> (message.index & 7));
        return true;
      case "allowedFast":
        if (this.#allowedFast.size < MAX_HELD_ALLOWED_FAST) this.#allowedFast.add(message.index);
        return isPossible(message.index);
      // A hint for requests that cannot be made yet; an answer to requests that were never made.
      case "suggest":
      case "reject":
        return isPossible(message.index);
      default:
        return assertNever(message);
    }
  }

  /** What the messages amount to, in an order a peer could have said them: what it has, then what it wants and allows. */
  *replay(): Generator<HeardMessage> {
    if (this.#pieceState !== undefined) yield this.#pieceState;
    yield* this.#replayHaves();
    for (const index of this.#allowedFast) yield { type: "allowedFast", index };
    if (this.#interested) yield { type: "interested" };
    if (this.#unchoked) yield { type: "unchoke" };
  }

  *#replayHaves(): Generator<HeardMessage> {
    const bits = this.#haves ?? [];
    for (const [at, byte] of bits.entries()) {
      if (byte === 0) continue;
      for (let bit = 0; bit < 8; bit++) {
        if ((byte & (0x80 >>> bit)) !== 0) yield { type: "have", index: at * 8 + bit };
      }
    }
  }
}

function isPossible(index: number): boolean {
  return index >= 0 && index < MAX_PIECE_COUNT;
}
