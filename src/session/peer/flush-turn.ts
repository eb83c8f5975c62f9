// Collects the connections that got output outside of their own turn and flushes each once when the turn of the event loop
// ends, so that everything a turn queues for a connection leaves in one write.

export interface Flushable {
  flush(): void;
}

export class FlushTurn {
  #dirty = new Set<Flushable>();

  mark(connection: Flushable): void {
    if (this.#dirty.size === 0) setImmediate(() => this.#flush());
    this.#dirty.add(connection);
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const connection of dirty) connection.flush();
  }
}
