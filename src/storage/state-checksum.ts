// The check sum of a row of the state store.

/**
 * Covers the whole row, its key and the types of its values: a damaged file may give a row under another row's key, and a
 * value as null, as text or as a number. Integers are bigints. Never throws.
 */
export function rowChecksum(values: readonly unknown[]): bigint {
  let crc = 0;
  for (const value of values) {
    const isBlob = value instanceof Uint8Array;
    crc = Bun.hash.crc32(isBlob ? `blob ${value.length} ` : `${typeof value} ${String(value)} `, crc);
    if (isBlob) crc = Bun.hash.crc32(value, crc);
  }
  return BigInt(crc);
}
