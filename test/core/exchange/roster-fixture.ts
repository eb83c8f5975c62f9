// Rosters and entries of numbered hosts, for the tests of roster and feed.
import * as fc from "fast-check";
import {
  HOST_STATES,
  type HostEntry,
  HostRoster,
  type HostState,
} from "../../../src/core/exchange/host-roster.ts";
import { addressKey, type PeerAddress } from "../../../src/core/format/peer-address.ts";

export const NOW = 1_800_000_000;
export const address = (number: number): PeerAddress => ({
  host: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
  port: 42_070,
});
export const host = (number: number, state: HostState, since = NOW): HostEntry => ({
  address: address(number),
  state,
  since,
});
/** We are host 0. */
export const roster = (state: HostState = "leeching", now = NOW) => new HostRoster(address(0), state, now);
export const picture = (of: HostRoster) =>
  [...of.changesAfter(0)]
    .map(({ entry }) => `${addressKey(entry.address)} ${entry.state} ${entry.since}`)
    .toSorted();

/** Few hosts and seconds, so that many compete. */
export const anyEntry = fc
  .record({
    number: fc.integer({ min: 1, max: 5 }),
    state: fc.constantFrom(...HOST_STATES),
    since: fc.integer({ min: NOW - 3, max: NOW + 3 }),
  })
  .map(({ number, state, since }) => host(number, state, since));

export function merged(...lists: readonly (readonly HostEntry[])[]): HostRoster {
  const into = roster("source");
  for (const entry of lists.flat()) into.merge(entry, NOW);
  return into;
}
