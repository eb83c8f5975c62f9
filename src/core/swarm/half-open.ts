// How many of the half-open connections are closed because newer ones arrived. Always the oldest: an honest handshake is on its way
// when its connection is accepted, so the connection that has been silent for longest is the least likely to complete one. But
// none before it could be read: a fleet that dials in the same second is accepted in one turn of the event loop, and read in
// the next.
import { MAX_HALF_OPEN_BURST, MAX_HALF_OPEN_INCOMING, HALF_OPEN_GRACE_MS } from "./limits.ts";

/**
 * @param openedAt of the `count` half-open connections, oldest first.
 * @param readAt when all sockets were last read: a connection accepted since then was not read yet, and is not silent.
 */
export function excessHalfOpen(openedAt: Iterable<number>, count: number, readAt: number): number {
  let excess = 0;
  for (const at of openedAt) {
    const kept = count - excess;
    const isLate = readAt - at >= HALF_OPEN_GRACE_MS;
    if (kept <= MAX_HALF_OPEN_INCOMING || (!isLate && kept <= MAX_HALF_OPEN_BURST)) break;
    excess++;
  }
  return excess;
}
