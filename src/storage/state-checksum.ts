// The check sum of a row of the state store.

/**
 * Of a whole row, its key and the kinds of its values included: in a damaged file a row may be found under another's key,
 * and a value may come back as null, as text or as a number. Integers are bigints. Never throws.
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
