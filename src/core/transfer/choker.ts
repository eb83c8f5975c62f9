// The choker: chooses which peers to unchoke. A pure function of a snapshot; it sends nothing and keeps nothing.
// The network is trusted, so there is no tit-for-tat, which would starve peers that join late. The peers that we uploaded
// least to come first, so the slots go round the fleet; one optimistic slot moves at random (BEP 3).
import type { PeerHandle } from "../torrent/ids.ts";
import { MAX_REQUEST_LENGTH } from "../torrent/limits.ts";
import { MAX_UPLOAD_SLOTS, MIN_UPLOAD_SLOTS, SNUB_MS } from "./limits.ts";

export interface ChokeCandidate {
  readonly handle: PeerHandle;
  readonly interested: boolean;
  /** Payload bytes that we uploaded to the peer. */
  readonly uploaded: number;
  /** Payload bytes that we uploaded to it since the last round: 0 of an unchoked peer means that it does not use its slot. */
  readonly uploadedLastRound: number;
  readonly unchoked: boolean;
}

/**
 * @param interested number of interested peers.
 * @returns the number of regular upload slots. Every interested peer has one, as long as each still gets the longest request
 * within half of SNUB_MS: a choke interrupts pieces, and the peer may be the only leecher that fetches them. Otherwise as
 * many slots as each get about a piece a second: a leecher can pass a piece on only when it has all of it.
 */
export function uploadSlots(uploadBytesPerSecond: number, pieceLength: number, interested: number): number {
  const slots = (wanted: number) =>
    Math.max(MIN_UPLOAD_SLOTS, Math.min(MAX_UPLOAD_SLOTS, Math.floor(wanted)));
  const forAll = slots((uploadBytesPerSecond * SNUB_MS) / 2_000 / MAX_REQUEST_LENGTH);
  return interested <= forAll ? forAll : slots(uploadBytesPerSecond / pieceLength);
}

/**
 * The interested peers to unchoke until the next round: the optimistic one, then those that we uploaded least to, `slots` + 1
 * peers at most. Peers that do not use their slot come last.
 */
export function chooseUnchoked(
  candidates: readonly ChokeCandidate[],
  slots: number,
  optimistic: PeerHandle | undefined,
): Set<PeerHandle> {
  const interested = candidates.filter((candidate) => candidate.interested);
  const isIdle = (candidate: ChokeCandidate) => candidate.unchoked && candidate.uploadedLastRound === 0;
  const ranked = interested.toSorted(
    (a, b) => Number(isIdle(a)) - Number(isIdle(b)) || a.uploaded - b.uploaded || a.handle - b.handle,
  );
  const chosen = new Set<PeerHandle>();
  if (optimistic !== undefined && interested.some((candidate) => candidate.handle === optimistic)) {
    chosen.add(optimistic);
  }
  const limit = slots + 1;
  for (const candidate of ranked) {
    if (chosen.size >= limit) break;
    chosen.add(candidate.handle);
  }
  return chosen;
}

/** A random interested peer that is choked, for the optimistic slot; undefined when there is none. */
export function chooseOptimistic(
  candidates: readonly ChokeCandidate[],
  random: () => number,
): PeerHandle | undefined {
  const waiting = candidates.filter((candidate) => candidate.interested && !candidate.unchoked);
  return waiting[Math.floor(random() * waiting.length)]?.handle;
}
