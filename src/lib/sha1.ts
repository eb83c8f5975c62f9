// The one call into the platform's SHA-1, shared by the info hash and the hash workers.

export const SHA1_LENGTH = 20;

/** @returns 20 bytes. */
export function sha1(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(SHA1_LENGTH);
  sha1Into(bytes, digest);
  return digest;
}

/** Writes the 20 bytes into `digest`, which may lie in shared memory. */
export function sha1Into(bytes: Uint8Array, digest: Uint8Array): void {
  Bun.SHA1.hash(bytes, digest);
}
