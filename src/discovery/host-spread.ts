// A choice of nodes in which no host has more than its share while other hosts are there: one host has 65,535 ports, and may give
// itself ids as near to an info hash as it likes. Pure.

/**
 * @param nodes the best first
 * @returns the first `count` of those that are at most the `share`th of their host; places that are left go to the others, so that
 *   a network of one host (containers behind one address) has as many as any. In the order of `nodes`.
 */
export function spreadByHost<Node extends { readonly host: string }>(
  nodes: readonly Node[],
  count: number,
  share: number,
): Node[] {
  const chosen = new Set<Node>();
  const hosts = new Map<string, number>();
  for (const node of nodes) {
    if (chosen.size >= count) break;
    const ofHost = (hosts.get(node.host) ?? 0) + 1;
    hosts.set(node.host, ofHost);
    if (ofHost <= share) chosen.add(node);
  }
  for (const node of nodes) {
    if (chosen.size >= count) break;
    chosen.add(node);
  }
  return nodes.filter((node) => chosen.has(node));
}
