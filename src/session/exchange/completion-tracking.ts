// What can be said of peers that do not speak the host exchange: each is watched from its first word on what it has, so
// that one that came with the whole file is told from one that has fetched it.
import type { HostEntry, HostState } from "../../core/exchange/host-roster.ts";
import type { PeerHandle } from "../../core/torrent/ids.ts";
import { PIECE_STATE_PATIENCE_MS } from "./limits.ts";
import type { PeerMessage } from "../../core/torrent/peer-message.ts";

interface Watched {
  readonly since: number;
  state: "unknown" | "leeching" | "source" | "done";
}

export class CompletionTracking {
  readonly #watched = new Map<PeerHandle, Watched>();

  /** Every message that says what the peer has, after it was taken in. */
  updated(peer: PeerHandle, isComplete: boolean, now: number): void {
    const watched = this.#of(peer, now);
    if (watched.state === "unknown") watched.state = isComplete ? "source" : "leeching";
    else if (watched.state === "leeching" && isComplete) watched.state = "done";
  }

  /** @returns undefined while it is too early to say. */
  stateOf(peer: PeerHandle, isComplete: boolean, now: number): Watched["state"] {
    const watched = this.#of(peer, now);
    const isSilent = watched.state === "unknown" && now - watched.since >= PIECE_STATE_PATIENCE_MS;
    if (isSilent || watched.state === "leeching") this.updated(peer, isComplete, now);
    return watched.state;
  }

  forget(peer: PeerHandle): void {
    this.#watched.delete(peer);
  }

  #of(peer: PeerHandle, now: number): Watched {
    let watched = this.#watched.get(peer);
    if (watched === undefined) this.#watched.set(peer, (watched = { since: now, state: "unknown" }));
    return watched;
  }
}

/** Messages by which a peer says what it has. */
export function saysPieces(message: PeerMessage): boolean {
  const { type } = message;
  return type === "have" || type === "bitfield" || type === "haveAll" || type === "haveNone";
}

/**
 * What to say of such a peer where `known` is said already; undefined for nothing. What others saw counts: whoever was
 * incomplete once and is complete now has downloaded it. That it lacks data again is believed only over what is older
 * than the connection, because a peer need not tell every piece to one who has it.
 */
export function stateToReport(
  seen: Watched["state"],
  known: HostEntry | undefined,
  connectedSince: number,
): HostState | undefined {
  if (seen === "unknown") return undefined;
  const knownState = known?.state === "left" ? undefined : known?.state;
  if (seen === "leeching") {
    const isOlder = known !== undefined && known.since < connectedSince;
    return knownState === undefined || (knownState !== "leeching" && isOlder) ? "leeching" : undefined;
  }
  if (knownState === "leeching") return "done";
  return knownState === undefined ? seen : undefined;
}
