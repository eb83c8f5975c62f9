// Who may ask us for blocks. Pure: a snapshot in, a choice out; it sends nothing and keeps nothing.
// The network is trusted, so there is no tit-for-tat: volume-for-volume only starves late joiners. Those who got least
// from us come first, which hands the slots round a fleet; one optimistic slot moves at random (BEP 3).
import type { PeerHandle } from "../torrent/ids.ts";
import { MAX_REQUEST_LENGTH } from "../torrent/limits.ts";
import { MAX_UPLOAD_SLOTS, MIN_UPLOAD_SLOTS, SNUB_MS } from "./limits.ts";

export interface ChokeCandidate {
  readonly handle: PeerHandle;
  readonly interested: boolean;
  /** Payload bytes the peer got from us. */
  readonly given: number;
  /** Payload bytes it got since the last round: nothing while it had a slot means that it does not use it. */
  readonly givenLately: number;
  readonly unchoked: boolean;
}

/**
 * One for everybody who is `interested`, as long as the longest request is answered in half of the time after which its
 * peer gives us up: a choke costs what was begun, and its peer may be the only one with that piece. Where some have to wait
 * anyway, as many as keep the link busy while every slot moves about a piece a second: a leecher can pass a piece on
 * only when it has all of it.
 */
export function uploadSlots(uploadBytesPerSecond: number, pieceLength: number, interested: number): number {
  const slots = (wanted: number) =>
    Math.max(MIN_UPLOAD_SLOTS, Math.min(MAX_UPLOAD_SLOTS, Math.floor(wanted)));
  const forAll = slots((uploadBytesPerSecond * SNUB_MS) / 2_000 / MAX_REQUEST_LENGTH);
  return interested <= forAll ? forAll : slots(uploadBytesPerSecond / pieceLength);
}

/**
 * The peers to unchoke until the next round: the optimistic one, then those that got least, up to `slots` + 1.
 * Peers with a slot that they do not use go last.
 */
export function chooseUnchoked(
  candidates: readonly ChokeCandidate[],
  slots: number,
  optimistic: PeerHandle | undefined,
): Set<PeerHandle> {
  const interested = candidates.filter((candidate) => candidate.interested);
  const isIdle = (candidate: ChokeCandidate) => candidate.unchoked && candidate.givenLately === 0;
  const ranked = interested.toSorted(
    (a, b) => Number(isIdle(a)) - Number(isIdle(b)) || a.given - b.given || a.handle - b.handle,
  );
  const chosen = new Set<PeerHandle>();
  if (optimistic !== undefined && interested.some((candidate) => candidate.handle === optimistic)) {
    chosen.add(optimistic);
  }
  const places = slots + 1;
  for (const candidate of ranked) {
    if (chosen.size >= places) break;
    chosen.add(candidate.handle);
  }
  return chosen;
}

/** A random interested peer that is choked now, for the optimistic slot; undefined when all have slots. */
export function chooseOptimistic(
  candidates: readonly ChokeCandidate[],
  random: () => number,
): PeerHandle | undefined {
  const waiting = candidates.filter((candidate) => candidate.interested && !candidate.unchoked);
  return waiting[Math.floor(random() * waiting.length)]?.handle;
}
