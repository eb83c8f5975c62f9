// Which unpinned addresses were named by which host. Each namer has its turn when addresses are dialled and its share of a full
// book, so that one that names thousands keeps none of another from being dialled or kept.
import type { KnownAddress } from "./known-address.ts";
import { MAX_NAMERS } from "./limits.ts";

export interface NamedCandidate {
  readonly entry: KnownAddress;
  /** Whose turn it is that the entry stands for. */
  readonly namer: string;
}

export class NamedAddresses {
  /** The namer whose turn is next comes first. */
  readonly #named = new Map<string, Set<KnownAddress>>();
  readonly #namers = new Map<KnownAddress, string[]>();

  /** `namer`: the host that named it; one address counts for a few of them. */
  add(entry: KnownAddress, namer: string): void {
    const namers = this.#namers.get(entry) ?? [];
    if (namers.length >= MAX_NAMERS || namers.includes(namer)) return;
    namers.push(namer);
    this.#namers.set(entry, namers);
    const entries = this.#named.get(namer);
    if (entries === undefined) this.#named.set(namer, new Set([entry]));
    else entries.add(entry);
  }

  remove(entry: KnownAddress): void {
    for (const namer of this.#namers.get(entry) ?? []) {
      const entries = this.#named.get(namer);
      entries?.delete(entry);
      if (entries?.size === 0) this.#named.delete(namer);
    }
    this.#namers.delete(entry);
  }

  /** An entry of this namer was dialled: all others come before it. */
  served(namer: string): void {
    const entries = this.#named.get(namer);
    if (entries === undefined) return;
    this.#named.delete(namer);
    this.#named.set(namer, entries);
  }

  /** Up to `count` eligible entries: one of each namer, each time by chance, then another one of each. */
  inTurn(
    count: number,
    isEligible: (entry: KnownAddress) => boolean,
    random: () => number,
  ): NamedCandidate[] {
    const picked: NamedCandidate[] = [];
    if (count <= 0) return picked;
    const seen = new Set<KnownAddress>();
    let namers = Array.from(this.#named, ([namer, entries]) => ({
      namer,
      left: [...entries].filter(isEligible),
    }));
    while (namers.length > 0 && picked.length < count) {
      namers = namers.filter(({ left }) => left.length > 0);
      for (const { namer, left } of namers) {
        if (picked.length >= count) break;
        const [entry] = left.splice(Math.floor(random() * left.length), 1);
        if (entry === undefined || seen.has(entry)) continue;
        seen.add(entry);
        picked.push({ entry, namer });
      }
    }
    return picked;
  }

  /** The entries of a namer that has more than an equal share of all, oldest first. */
  ofExcessShare(namer: string): ReadonlySet<KnownAddress> | undefined {
    const entries = this.#named.get(namer);
    return entries !== undefined && entries.size > this.#namers.size / this.#named.size ? entries : undefined;
  }

  /** The entries of the namer that has most, oldest first, when it has at least two more than `namer`. */
  ofLargerShare(namer: string): Iterable<KnownAddress> {
    let largest: ReadonlySet<KnownAddress> = new Set();
    for (const entries of this.#named.values()) if (entries.size > largest.size) largest = entries;
    return largest.size > (this.#named.get(namer)?.size ?? 0) + 1 ? largest : [];
  }
}
