// How many of the accepted connections that have not introduced themselves give way to newer ones. Always the oldest: an
// honest handshake is on its way when its connection is accepted, so whoever has been silent for longest is the least
// likely to say one. But none before it could be read: a fleet that dials in the same second is accepted in one turn of the
// event loop, and read in the next.
import { MAX_HALF_OPEN_BURST, MAX_HALF_OPEN_INCOMING, HALF_OPEN_GRACE_MS } from "./limits.ts";

/**
 * @param openedAt of the `count` connections, oldest first.
 * @param readAt when all sockets were last read: what was accepted since has not been silent, it was not listened to.
 */
export function excessHalfOpen(openedAt: Iterable<number>, count: number, readAt: number): number {
  let surplus = 0;
  for (const at of openedAt) {
    const kept = count - surplus;
    const isLate = readAt - at >= HALF_OPEN_GRACE_MS;
    if (kept <= MAX_HALF_OPEN_INCOMING || (!isLate && kept <= MAX_HALF_OPEN_BURST)) break;
    surplus++;
  }
  return surplus;
}
