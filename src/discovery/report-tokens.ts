// The tokens of reports: each proves that its host gets what is sent to its address. Of a kind of their own: none is good for an announce in
// the DHT, nor the other way round. Nothing is stored for a token that was given. Pure: the secret and the time come in.
import { DHT_TOKEN_EPOCH_MS } from "./limits.ts";
import { REPORT_TOKEN_LENGTH } from "../core/exchange/limits.ts";
import { bytesEqual } from "../lib/bytes.ts";

export class ReportTokens {
  readonly #secret: Uint8Array;

  /** `secret`: 20 random bytes or more, known to this process alone. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** `now`: milliseconds of a clock that is not set back. @returns REPORT_TOKEN_LENGTH bytes. */
  make(host: string, now: number): Uint8Array {
    return this.#of(host, epochAt(now));
  }

  /** @returns true for a token of this epoch or the one before it, made for the same host. */
  isValid(token: Uint8Array, host: string, now: number): boolean {
    const epoch = epochAt(now);
    return [epoch, epoch - 1].some((made) => bytesEqual(token, this.#of(host, made)));
  }

  #of(host: string, epoch: number): Uint8Array {
    const digest = new Bun.CryptoHasher("sha1", this.#secret).update(`report ${epoch} ${host}`).digest();
    return digest.subarray(0, REPORT_TOKEN_LENGTH);
  }
}

function epochAt(now: number): number {
  return Math.floor(now / DHT_TOKEN_EPOCH_MS);
}
