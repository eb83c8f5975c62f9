// Where the address of a peer was learned. One table; everything that depends on the source is read from it.
import { assert } from "../../lib/assert.ts";

interface SourceTraits {
  /** Named by the user: dialled for ever, never forgotten, exempt from the address policy and from eviction. */
  readonly pinned: boolean;
  /** A full peer book evicts addresses of the lowest rank first. */
  readonly rank: number;
}

/**
 * The keys are the names in `--json`. `flag` is --peers, `pex` BEP 11, `exchange` our own `pf_hosts`, `incoming` an address that a
 * peer has advertised on a connection it opened. What peers tell of third parties ranks below what an address says of
 * itself; in the DHT and in `pf_hosts` it does so through others.
 */
const SOURCES = {
  magnet: { pinned: true, rank: 3 },
  flag: { pinned: true, rank: 3 },
  dht: { pinned: false, rank: 1 },
  pex: { pinned: false, rank: 0 },
  exchange: { pinned: false, rank: 1 },
  incoming: { pinned: false, rank: 2 },
} as const satisfies Record<string, SourceTraits>;

export type AddressSource = keyof typeof SOURCES;

/** Sources by which the user names an address. */
export type PinnedSource = {
  [Source in AddressSource]: (typeof SOURCES)[Source]["pinned"] extends true ? Source : never;
}[AddressSource];

export type CountBySource = Readonly<Record<AddressSource, number>>;

/** All of them, in the order of the table. */
export const ADDRESS_SOURCES: readonly AddressSource[] = Object.keys(SOURCES).filter(isAddressSource);

function isAddressSource(name: string): name is AddressSource {
  return name in SOURCES;
}

export function isPinnedSource(source: AddressSource): source is PinnedSource {
  return SOURCES[source].pinned;
}

export function rankOf(source: AddressSource): number {
  return SOURCES[source].rank;
}

/** @returns a count for every source, 0 included. */
export function countBySource(sources: Iterable<AddressSource>): CountBySource {
  const counts: Partial<Record<AddressSource, number>> = {};
  for (const source of ADDRESS_SOURCES) counts[source] = 0;
  for (const source of sources) counts[source] = (counts[source] ?? 0) + 1;
  assert(isWhole(counts), "a source without a count");
  return counts;
}

function isWhole(counts: Partial<CountBySource>): counts is CountBySource {
  return ADDRESS_SOURCES.every((source) => counts[source] !== undefined);
}
