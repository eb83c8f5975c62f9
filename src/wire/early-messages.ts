// Messages that arrive before the metadata, when the number of pieces is unknown. They are kept as state, not as a list, so that
// any number of messages takes at most 64 KiB and the state of an honest peer is complete.
import { MAX_EARLY_ALLOWED_FAST } from "./limits.ts";
import { MAX_PIECE_COUNT } from "../core/torrent/limits.ts";
import { assertNever, present } from "../lib/assert.ts";
import type { UncheckedMessage } from "./unchecked-message.ts";

export class EarlyMessages {
  #pieceState: UncheckedMessage | undefined;
  /** One bit for each possible piece, made for the first have. */
  #haves: Uint8Array | undefined;
  readonly #allowedFast = new Set<number>();
  #unchoked = false;
  #interested = false;

  /** @returns false for an index beyond MAX_PIECE_COUNT, which no accepted torrent has. */
  keep(message: UncheckedMessage): boolean {
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
          present(this.#haves[message.index >>> 3]) | (0x80 >>> (message.index & 7));
        return true;
      case "allowedFast":
        if (this.#allowedFast.size < MAX_EARLY_ALLOWED_FAST) this.#allowedFast.add(message.index);
        return isPossible(message.index);
      // Both are of no use before requests: a hint, and an answer.
      case "suggest":
      case "reject":
        return isPossible(message.index);
      default:
        return assertNever(message);
    }
  }

  /** The resulting state as messages, in an order that a peer could have sent: pieces first, then interest and unchoke. */
  *replay(): Generator<UncheckedMessage> {
    if (this.#pieceState !== undefined) yield this.#pieceState;
    yield* this.#replayHaves();
    for (const index of this.#allowedFast) yield { type: "allowedFast", index };
    if (this.#interested) yield { type: "interested" };
    if (this.#unchoked) yield { type: "unchoke" };
  }

  *#replayHaves(): Generator<UncheckedMessage> {
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
