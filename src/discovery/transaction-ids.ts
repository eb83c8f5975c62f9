// Random transaction ids for the library, which counts them up from 1: one query seen tells the ids of all later ones.
// Pure: chance comes in.

/** The ids are two bytes, and 0 marks a free place in the library's table. */
const FIRST_ID = 1;
const LAST_ID = 0xffff;

/** @param inUse ids of queries in flight, far fewer than there are ids. @returns one that is not among them. */
export function freeTransactionId(
  inUse: readonly number[],
  randomBytes: (length: number) => Uint8Array,
): number {
  const [high = 0, low = 0] = randomBytes(2);
  let id = Math.max(FIRST_ID, (high << 8) | low);
  while (inUse.includes(id)) id = id === LAST_ID ? FIRST_ID : id + 1;
  return id;
}
