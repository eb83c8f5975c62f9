// Which addresses of a torrent are dialled next: pinned ones first, but never with so many slots that pinned addresses which do
// not answer keep all others waiting.
import type { PeerAddress } from "../format/peer-address.ts";
import { MAX_UNPINNED_DIAL_SHARE, MIN_UNPINNED_DIAL_SHARE } from "./limits.ts";

export interface DialCandidates {
  /** Addresses that may be dialled now. */
  readonly pinned: readonly PeerAddress[];
  readonly others: readonly PeerAddress[];
  /** Dials of this torrent that are under way. */
  readonly pinnedDials: number;
  readonly otherDials: number;
}

/**
 * @param slots dials that may begin now.
 * @param room how many of them may go to addresses that are not pinned.
 * @returns the addresses to dial, each kind in random order.
 */
export function selectDials(
  candidates: DialCandidates,
  slots: number,
  room: number,
  random: () => number,
): PeerAddress[] {
  const { pinned, others, pinnedDials, otherDials } = candidates;
  const total = slots + pinnedDials + otherDials;
  const least = Math.floor(total * MIN_UNPINNED_DIAL_SHARE);
  const most = Math.floor(total * MAX_UNPINNED_DIAL_SHARE);
  const kept = Math.min(Math.max(others.length + otherDials, least), most);
  const first = pickSome(pinned, Math.min(slots, total - kept - pinnedDials), random);
  return [...first, ...pickSome(others, Math.min(room, slots - first.length), random)];
}

/** Up to `count` of `items`, each equally likely, in random order. */
function pickSome<Item>(items: readonly Item[], count: number, random: () => number): Item[] {
  if (count <= 0) return [];
  const left = [...items];
  const picked: Item[] = [];
  while (picked.length < count && left.length > 0) {
    const [item] = left.splice(Math.floor(random() * left.length), 1);
    if (item !== undefined) picked.push(item);
  }
  return picked;
}
