// What each host holds of a bounded store, so that a full store takes from the host with the most and no few hosts keep the
// others out. Pure. Knows no item.

export class HostShares<Item> {
  /** Of each host its items, the oldest in front. */
  readonly #items = new Map<string, Set<Item>>();
  /** The hosts with so many items, by number. */
  readonly #hosts = new Map<number, Set<string>>();
  #largest = 0;

  /** Items of this host. */
  sizeOf(host: string): number {
    return this.#items.get(host)?.size ?? 0;
  }

  /** Adds a new item as the host's newest. */
  add(host: string, item: Item): void {
    const items = this.#items.get(host) ?? new Set();
    this.#move(host, items.size, items.size + 1);
    this.#items.set(host, items.add(item));
    this.#largest = Math.max(this.#largest, items.size);
  }

  remove(host: string, item: Item): void {
    const items = this.#items.get(host);
    if (items?.delete(item) !== true) return;
    this.#move(host, items.size + 1, items.size);
    if (items.size === 0) this.#items.delete(host);
    // One step at most: the host itself is now among those with one item less.
    if (!this.#hosts.has(this.#largest)) this.#largest--;
  }

  /**
   * @returns the oldest item of a host with the most, for one of `host` to take its place. Undefined when no host has two more
   * than `host`: then `host` would only change places with an equal, who would displace it in turn.
   */
  yieldedTo(host: string): Item | undefined {
    if (this.#largest < this.sizeOf(host) + 2) return undefined;
    const [largest] = this.#hosts.get(this.#largest) ?? [];
    const [oldest] = (largest === undefined ? undefined : this.#items.get(largest)) ?? [];
    return oldest;
  }

  clear(): void {
    this.#items.clear();
    this.#hosts.clear();
    this.#largest = 0;
  }

  #move(host: string, from: number, to: number): void {
    const left = this.#hosts.get(from);
    left?.delete(host);
    if (left?.size === 0) this.#hosts.delete(from);
    if (to > 0) this.#hosts.set(to, (this.#hosts.get(to) ?? new Set()).add(host));
  }
}
