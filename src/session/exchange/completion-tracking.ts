// How far peers are that do not speak the host exchange: each is tracked from the first message about its pieces, so that a peer
// that joined with the whole file is distinguished from one that has downloaded it.
import type { FirstHandState } from "../../core/exchange/first-hand-hosts.ts";
import type { HostEntry, HostState } from "../../core/exchange/host-roster.ts";
import type { PeerHandle } from "../../core/torrent/ids.ts";
import { PIECE_STATE_PATIENCE_MS } from "./limits.ts";
import type { PeerMessage } from "../../core/torrent/peer-message.ts";

export type SeenState = "unknown" | "leeching" | "source" | "done";

interface Tracked {
  readonly since: number;
  state: SeenState;
}

export class CompletionTracking {
  readonly #tracked = new Map<PeerHandle, Tracked>();

  /** After every message about the pieces of a peer. */
  updated(peer: PeerHandle, isComplete: boolean, now: number): void {
    const tracked = this.#of(peer, now);
    if (tracked.state === "unknown") tracked.state = isComplete ? "source" : "leeching";
    else if (tracked.state === "leeching" && isComplete) tracked.state = "done";
  }

  /** @returns "unknown" while the peer has sent nothing about its pieces and still may. */
  stateOf(peer: PeerHandle, isComplete: boolean, now: number): SeenState {
    const tracked = this.#of(peer, now);
    const isSilent = tracked.state === "unknown" && now - tracked.since >= PIECE_STATE_PATIENCE_MS;
    if (isSilent || tracked.state === "leeching") this.updated(peer, isComplete, now);
    return tracked.state;
  }

  forget(peer: PeerHandle): void {
    this.#tracked.delete(peer);
  }

  #of(peer: PeerHandle, now: number): Tracked {
    let tracked = this.#tracked.get(peer);
    if (tracked === undefined) this.#tracked.set(peer, (tracked = { since: now, state: "unknown" }));
    return tracked;
  }
}

/** Messages about the pieces of a peer. */
export function announcesPieces(message: PeerMessage): boolean {
  const { type } = message;
  return type === "have" || type === "bitfield" || type === "haveAll" || type === "haveNone";
}

/**
 * The state to report of such a peer when the roster has `known`; undefined for none. What other hosts saw counts: a peer that was
 * incomplete once and is complete now has downloaded the file. That it lacks data again is reported only over what is older
 * than the connection, because a peer need not announce every piece to a peer that has it.
 */
export function stateToReport(
  seen: SeenState,
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

/**
 * The state at first hand of a host with such a peer when it has `known`; undefined for none. A host whose first connection began
 * complete stays a source: nothing shows that it has downloaded the file.
 */
export function firstHandStateOf(
  seen: SeenState,
  known: FirstHandState | undefined,
): FirstHandState | undefined {
  if (seen === "unknown" || known === "source" || known === "done") return known;
  if (seen === "leeching" || known === undefined) return seen;
  return "done";
}
