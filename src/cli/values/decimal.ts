// Plain decimal numbers, 0 or more: the base of rates, durations and ratios. "1e3", "0x10", "Infinity" and signs are
// refused, because in a limit they are slips more often than wishes.

/** @returns undefined unless `text` is digits with at most one point among them, and a number that is not rounded to 0. */
export function parseDecimal(text: string): number | undefined {
  if (!/^(\d+(\.\d*)?|\.\d+)$/.test(text)) return undefined;
  const value = Number(text);
  const isLost = value === 0 && /[1-9]/.test(text);
  return Number.isFinite(value) && !isLost ? value : undefined;
}
