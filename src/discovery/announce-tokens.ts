// The tokens of our DHT node (BEP 5): each lets one host announce itself under one info hash, for a while. Nothing is stored
// for a token that was given. Pure: the secret and the time come in.
import { DHT_TOKEN_EPOCH_MS } from "./limits.ts";
import { bytesEqual } from "../lib/bytes.ts";

export class AnnounceTokens {
  readonly #secret: Uint8Array;

  /** `secret`: 20 random bytes or more, known to this process alone. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** `infoHash`: 20 bytes; `now`: milliseconds of a clock that is not set back. @returns 20 bytes. */
  make(host: string, infoHash: Uint8Array, now: number): Buffer {
    return this.#of(host, infoHash, epochAt(now));
  }

  /** @returns true for a token of this epoch or the one before it, made for the same host and info hash. */
  isValid(token: Uint8Array, host: string, infoHash: Uint8Array, now: number): boolean {
    const epoch = epochAt(now);
    return [epoch, epoch - 1].some((made) => bytesEqual(token, this.#of(host, infoHash, made)));
  }

  #of(host: string, infoHash: Uint8Array, epoch: number): Buffer {
    return new Bun.CryptoHasher("sha1", this.#secret).update(`${epoch} ${host} `).update(infoHash).digest();
  }
}

function epochAt(now: number): number {
  return Math.floor(now / DHT_TOKEN_EPOCH_MS);
}
