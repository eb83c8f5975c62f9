// Connection slots are shared by host when they are scarce: a newcomer takes one of the host that holds most, as long as that host
// keeps at least as many as the newcomer's gets. Knows no sockets and no clock: nothing that a host does keeps its share.

export interface SlotHolder {
  readonly host: string;
  /** Never to be closed for another. */
  readonly isExempt: boolean;
}

export interface Newcomer {
  readonly host: string;
  /** It gets a slot while any holder is not exempt. */
  readonly isExempt: boolean;
}

/**
 * The holder to close for the newcomer, which is not among them: the latest of the host that holds most. `holders`: oldest first.
 * @returns undefined when the newcomer's host has its share.
 */
export function holderToClose<Holder extends SlotHolder>(
  holders: readonly Holder[],
  newcomer: Newcomer,
): Holder | undefined {
  const held = Map.groupBy(holders, ({ host }) => host);
  const heldByNewcomer = held.get(newcomer.host)?.length ?? 0;
  const least = newcomer.isExempt ? 1 : heldByNewcomer + 2;
  let chosen: Holder | undefined;
  let most = 0;
  for (const ofHost of held.values()) {
    if (ofHost.length < least || ofHost.length <= most) continue;
    const latest = ofHost.findLast(({ isExempt }) => !isExempt);
    if (latest === undefined) continue;
    chosen = latest;
    most = ofHost.length;
  }
  return chosen;
}
