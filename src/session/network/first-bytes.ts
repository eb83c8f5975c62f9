// Decides by the first byte of an accepted connection which protocol it speaks, before anything of that protocol is built, and
// bounds the accepted connections that are half-open: silent ones, and those whose protocol is not done with its handshake.
import { addressKey } from "../../core/format/peer-address.ts";
import { excessHalfOpen } from "../../core/swarm/half-open.ts";
import type { PeerFault } from "../../core/torrent/peer-message.ts";
import type { Logger } from "../../lib/logger.ts";
import type { TcpConnection } from "../../net/tcp-connection.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../peer/limits.ts";

export interface HalfOpenConnection {
  readonly tcp: TcpConnection;
  /** When it was accepted. */
  readonly openedAt: number;
  /** The handshake is done, or the connection ended: it counts as half-open no more. */
  readonly done: () => void;
}

/**
 * Takes over a connection whose first byte is the protocol's: attaches its own handlers, which get that byte and all others.
 * @returns what closes the connection while it is half-open.
 */
export type Protocol = (connection: HalfOpenConnection) => { close(fault: PeerFault): void };

export interface FirstBytesOptions {
  /** By first byte. */
  readonly protocols: ReadonlyMap<number, Protocol>;
  readonly logger: Logger;
  readonly now: () => number;
}

interface Entry extends HalfOpenConnection {
  /** What a close goes to: the protocol's connection, once there is one. */
  closable: { close(fault: PeerFault): void };
}

export class FirstBytes {
  readonly #options: FirstBytesOptions;
  /** Oldest first. */
  readonly #halfOpen = new Set<Entry>();
  /** Between two ticks every socket was read. */
  #tickedAt = 0;

  constructor(options: FirstBytesOptions) {
    this.#options = options;
  }

  /** Half-open connections. */
  get size(): number {
    return this.#halfOpen.size;
  }

  accept(tcp: TcpConnection): void {
    const entry: Entry = {
      tcp,
      openedAt: this.#options.now(),
      done: () => this.#halfOpen.delete(entry),
      closable: { close: (fault) => this.#close(tcp, fault) },
    };
    this.#halfOpen.add(entry);
    this.#dropExcess();
    tcp.attach({
      onData: (chunk) => this.#identify(entry, chunk),
      onClose: entry.done,
    });
  }

  tick(now: number): void {
    this.#dropExcess();
    this.#tickedAt = now;
    for (const { openedAt, closable } of this.#halfOpen) {
      if (now - openedAt > HANDSHAKE_TIMEOUT_MS) closable.close("handshakeTimeout");
    }
  }

  close(): void {
    for (const { closable } of this.#halfOpen) closable.close("shutdown");
  }

  #identify(entry: Entry, chunk: Uint8Array): void {
    const [firstByte] = chunk;
    if (firstByte === undefined) return;
    const protocol = this.#options.protocols.get(firstByte);
    if (protocol === undefined) this.#close(entry.tcp, "badHandshake");
    else entry.closable = protocol(entry);
  }

  #close(tcp: TcpConnection, fault: PeerFault): void {
    if (fault !== "shutdown") this.#options.logger.debug(`${addressKey(tcp.remote)}: closed (${fault})`);
    tcp.close();
  }

  #dropExcess(): void {
    const openedAt = this.#halfOpen.values().map((entry) => entry.openedAt);
    let excess = excessHalfOpen(openedAt, this.#halfOpen.size, this.#tickedAt);
    for (const { closable } of this.#halfOpen) {
      if (excess-- <= 0) break;
      closable.close("tooManyConnections");
    }
  }
}
