// Cuts a stream of bytes into pieces and collects their SHA-1. Refuses to know where the bytes come from.
import { SHA1_LENGTH, sha1Into } from "../src/lib/sha1.ts";

export class PieceDigests {
  /** 20 bytes per piece, in piece order. Complete once as many bytes were added as were announced. */
  readonly digests: Uint8Array<ArrayBuffer>;
  readonly #pieceLength: number;
  #left: number;
  #piece = 0;
  /** Bytes of the current piece that `#hasher` has seen; 0 while there is none. */
  #begun = 0;
  #hasher: Bun.SHA1 | undefined;

  /** @param length all bytes that will be added, at least 1; the last piece may be shorter than `pieceLength`. */
  constructor(length: number, pieceLength: number) {
    this.digests = new Uint8Array(Math.ceil(length / pieceLength) * SHA1_LENGTH);
    this.#pieceLength = pieceLength;
    this.#left = length;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#left > 0;) {
      const wanted = Math.min(this.#pieceLength - this.#begun, this.#left);
      const part = bytes.subarray(at, at + wanted);
      this.#take(part, part.length === wanted);
      at += part.length;
      this.#left -= part.length;
    }
  }

  #take(part: Uint8Array, last: boolean): void {
    if (last && this.#hasher === undefined) {
      sha1Into(part, this.#nextDigest());
    } else {
      this.#hasher ??= new Bun.SHA1();
      this.#hasher.update(part);
      this.#begun += part.length;
      if (!last) return;
      this.#hasher.digest(this.#nextDigest());
      this.#hasher = undefined;
      this.#begun = 0;
    }
  }

  #nextDigest(): Uint8Array {
    const at = this.#piece++ * SHA1_LENGTH;
    return this.digests.subarray(at, at + SHA1_LENGTH);
  }
}
