// Reads what `openssl speed -evp sha1 -bytes N` prints.

/** @returns GB/s. @throws when there is no rate in it. */
export function parseOpensslSpeed(output: string): number {
  // "1000s of bytes per second", with a k behind the number.
  const rate = /^sha1\s+([\d.]+)k\s*$/m.exec(output)?.[1];
  if (rate === undefined) throw new Error("`openssl speed` printed no rate");
  return (Number(rate) * 1000) / 1e9;
}
