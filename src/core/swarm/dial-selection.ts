// Which addresses of a torrent are dialled next: pinned ones first, but never with so many slots that pinned addresses which do
// not answer keep all others waiting.
import { MAX_UNPINNED_DIAL_SHARE, MIN_UNPINNED_DIAL_SHARE } from "./limits.ts";

export interface DialCandidates<Address> {
  /** Addresses that may be dialled now, each kind in the order of dialling. */
  readonly pinned: readonly Address[];
  readonly others: readonly Address[];
  /** Dials of this torrent that are under way. */
  readonly pinnedDials: number;
  readonly otherDials: number;
}

/**
 * @param slots dials that may begin now.
 * @param room how many of them may go to addresses that are not pinned.
 * @param take whether this one may be dialled, beside those that were taken before.
 */
export function selectDials<Address>(
  candidates: DialCandidates<Address>,
  slots: number,
  room: number,
  take: (address: Address) => boolean,
): Address[] {
  const { pinned, others, pinnedDials, otherDials } = candidates;
  const total = slots + pinnedDials + otherDials;
  const least = Math.floor(total * MIN_UNPINNED_DIAL_SHARE);
  const most = Math.floor(total * MAX_UNPINNED_DIAL_SHARE);
  const kept = Math.min(Math.max(others.length + otherDials, least), most);
  const first = takeSome(pinned, Math.min(slots, total - kept - pinnedDials), take);
  return [...first, ...takeSome(others, Math.min(room, slots - first.length), take)];
}

/** The first `count` that may be taken. */
function takeSome<Item>(items: readonly Item[], count: number, take: (item: Item) => boolean): Item[] {
  const taken: Item[] = [];
  for (const item of items) {
    if (taken.length >= count) break;
    if (take(item)) taken.push(item);
  }
  return taken;
}
