// Which known word a mistyped one probably means. Knows no flags.
import { assert } from "../lib/assert.ts";

/** @returns the nearest of `words` if it is near enough to be a slip of the fingers, or undefined. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  // One letter is near to everything.
  if (word.length < 2) return undefined;
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.floor(word.length / 2)) + 1;
  for (const candidate of words) {
    // A word that stops early means the first one that goes on: "--upload" is nearest to "--upload-limit".
    const distance = word.length >= 3 && candidate.startsWith(word) ? 1 : editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions and substitutions (Levenshtein), in time of one length times the other. */
function editDistance(a: string, b: string): number {
  // A long argument is no slip of a short word, and must not cost its square.
  if (Math.abs(a.length - b.length) > 3) return 4;
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, at(previous, j) + 1, at(row, j - 1) + 1));
    }
    previous = row;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  const value = row[index];
  assert(value !== undefined, "a row of distances has one more entry than the word has letters");
  return value;
}
