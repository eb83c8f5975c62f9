// Cuts a stream into chunks. The cuts depend on the stream alone, so that a saved input is cut in the same way again.
import { seededRandom } from "../../helpers/seeded-random.ts";

/** A random number generator seeded by `input`. */
export function randomOf(input: Uint8Array): () => number {
  return seededRandom(Bun.hash.crc32(input));
}

/** Calls `take` with each chunk of `stream`: most are short, so that heads are cut everywhere. */
export function cut(
  stream: Uint8Array,
  random: () => number,
  take: (chunk: Uint8Array, end: number) => void,
): void {
  for (let at = 0; at < stream.length;) {
    const kind = random();
    const most = kind < 0.5 ? 8 : kind < 0.8 ? 200 : 20_000;
    const end = Math.min(stream.length, at + 1 + Math.floor(random() * most));
    // A copy that is overwritten afterwards: a view that is kept too long shows.
    const chunk = stream.slice(at, end);
    take(chunk, end);
    chunk.fill(0xa5);
    at = end;
  }
}
