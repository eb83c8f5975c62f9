// The UDP socket of the DHT library: passes on only what the guards accept, sends only to accepted addresses, repeats a send
// that failed because of another destination, and never throws. Knows no query and no routing table.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { EventEmitter } from "node:events";
import { DATAGRAM_RESENDS } from "./limits.ts";
import { addressKey, parseIpv4, type PeerAddress } from "../core/format/peer-address.ts";
import { errnoWords } from "../lib/errno.ts";
import { systemErrorCode, UsageError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { readEnvelope } from "./datagram-envelope.ts";
import { type DatagramFault, guardDatagram } from "./datagram-guard.ts";
import { DatagramRates } from "./datagram-rates.ts";
import { isQuery, PendingQueries } from "./pending-queries.ts";

/** Why a datagram was dropped, in either direction. */
export type DatagramRefusal =
  | DatagramFault
  | "noMessage"
  | "refusedSource"
  | "tooMany"
  | "tooManyReplies"
  | "tooManyQueries"
  | "notAsked"
  | "refusedTarget"
  | "handlerFailed";

export interface GuardedSocketOptions {
  /** Address to bind: one of this machine's, or 0.0.0.0. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Addresses that may be contacted and listened to. */
  readonly accepts: (address: PeerAddress) => boolean;
  readonly logger: Logger;
  /** Milliseconds by a clock that is never set back. */
  readonly now: () => number;
  /** Takes datagrams of another protocol before the rates and guards of the DHT see them. @returns whether it has taken this one. */
  readonly takes?: (datagram: Uint8Array, from: PeerAddress) => boolean;
}

/** UDP could not be bound. `code` is the system's, "EADDRINUSE" when the port is taken. */
export class DatagramBindError extends UsageError {
  readonly code: string;

  constructor(host: string, port: number, cause: unknown) {
    const code = systemErrorCode(cause) ?? "unknown error";
    super(`cannot use UDP ${host}:${port}: ${errnoWords("port", code) ?? code}`, { cause });
    this.code = code;
  }
}

type SendCallback = (error: Error | null) => void;

/** Errors that the network reports for an earlier datagram, on whatever is sent next (Bun sets IP_RECVERR). */
const EARLIER_ERRORS: ReadonlySet<string | undefined> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/** Emits "message" (bytes, {address, port}), "listening" and "close", as a socket of node:dgram does. */
export class GuardedSocket extends EventEmitter {
  readonly #socket: Socket;
  readonly #accepts: (address: PeerAddress) => boolean;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #takes: (datagram: Uint8Array, from: PeerAddress) => boolean;
  readonly #rates = new DatagramRates();
  readonly #pending = new PendingQueries();
  readonly #refusals = new Map<DatagramRefusal, number>();
  #isClosed = false;

  /** @throws DatagramBindError when the address cannot be bound. */
  static async open(options: GuardedSocketOptions): Promise<GuardedSocket> {
    const socket = createSocket("udp4");
    const bound = Promise.withResolvers<void>();
    socket.once("error", bound.reject);
    socket.once("listening", bound.resolve);
    try {
      socket.bind(options.port, options.host);
      await bound.promise;
    } catch (cause) {
      // A socket that failed to bind still holds its descriptor.
      socket.close();
      throw new DatagramBindError(options.host, options.port, cause);
    }
    socket.off("error", bound.reject);
    return new GuardedSocket(socket, options);
  }

  private constructor(socket: Socket, options: GuardedSocketOptions) {
    super();
    this.#socket = socket;
    this.#accepts = options.accepts;
    this.#logger = options.logger;
    this.#now = options.now;
    this.#takes = options.takes ?? (() => false);
    socket.on("message", (bytes, source) => this.#receive(bytes, source));
    socket.on("error", (error) => options.logger.debug(`UDP: ${error.message}`));
    socket.on("close", () => this.emit("close"));
  }

  /** Datagrams dropped so far, by reason. */
  get refusals(): ReadonlyMap<DatagramRefusal, number> {
    return this.#refusals;
  }

  /** For the library, which believes that it binds: the socket was bound before the library saw it. */
  bind(): void {
    queueMicrotask(() => this.emit("listening"));
  }

  /** The bound address; throws nothing even after `close`. */
  address(): { readonly address: string; readonly port: number } {
    return this.#isClosed ? { address: "0.0.0.0", port: 0 } : this.#socket.address();
  }

  send(
    buffer: Uint8Array,
    offset: number,
    length: number,
    port: number,
    host: string,
    callback: SendCallback = () => {},
  ): void {
    const to = { host, port };
    const datagram = buffer.subarray(offset, offset + length);
    const refusal = this.#refusalOf(datagram, to);
    if (refusal !== undefined) {
      this.#refuse(refusal, to);
      queueMicrotask(() => callback(null));
      return;
    }
    this.#pending.sent(datagram, to);
    this.#transmit(datagram, to, DATAGRAM_RESENDS, callback);
  }

  /** Sends what is not of the DHT; its sender has a budget of its own. */
  sendApart(datagram: Uint8Array, to: PeerAddress): void {
    if (this.#isClosed || !isAddress(to) || !this.#accepts(to)) return this.#refuse("refusedTarget", to);
    this.#transmit(datagram, to, DATAGRAM_RESENDS, () => {});
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  #refusalOf(datagram: Uint8Array, to: PeerAddress): DatagramRefusal | undefined {
    if (this.#isClosed || !isAddress(to) || !this.#accepts(to)) return "refusedTarget";
    const now = this.#now();
    if (isQuery(datagram)) return this.#rates.mayAsk(now) ? undefined : "tooManyQueries";
    return this.#rates.mayReply(to, datagram.length, now) ? undefined : "tooManyReplies";
  }

  #transmit(datagram: Uint8Array, to: PeerAddress, resends: number, callback: SendCallback): void {
    try {
      this.#socket.send(datagram, to.port, to.host, (error) => {
        const isEarlier = error !== null && EARLIER_ERRORS.has(systemErrorCode(error));
        if (isEarlier && resends > 0 && !this.#isClosed) this.#transmit(datagram, to, resends - 1, callback);
        else callback(error);
      });
    } catch (error) {
      queueMicrotask(() => callback(error instanceof Error ? error : new Error(String(error))));
    }
  }

  /** What nothing asked for is dropped first, by one pass over its bytes: no flood of it costs more than that. */
  #receive(bytes: Uint8Array, source: RemoteInfo): void {
    if (this.#isClosed) return;
    const from = { host: source.address, port: source.port };
    const envelope = readEnvelope(bytes);
    if (envelope === undefined) return this.#refuse("noMessage", from);
    const isReply = envelope.kind === "reply";
    if (isReply && !this.#pending.settle(envelope.transaction, from)) {
      if (!this.#takes(bytes, from)) this.#refuse("notAsked", from);
      return;
    }
    if (!isAddress(from) || !this.#accepts(from)) return this.#refuse("refusedSource", from);
    if (!isReply && this.#takes(bytes, from)) return;
    if (!isReply && !this.#rates.mayRead(from, this.#now())) return this.#refuse("tooMany", from);
    const verdict = guardDatagram(bytes, this.#accepts);
    if (verdict.verdict === "rejected") return this.#refuse(verdict.fault, from);
    try {
      this.emit("message", Buffer.from(verdict.bytes), source);
    } catch (error) {
      this.#logger.debug(`DHT message from ${addressKey(from)} failed: ${String(error)}`);
      this.#refuse("handlerFailed", from);
    }
  }

  /** Logged once per reason: a flood must not fill the log. */
  #refuse(reason: DatagramRefusal, address: PeerAddress): void {
    const count = (this.#refusals.get(reason) ?? 0) + 1;
    this.#refusals.set(reason, count);
    if (count === 1)
      this.#logger.debug(
        `dropped a datagram (${reason}), ${addressKey(address)}; further ones are only counted`,
      );
  }
}

function isAddress(address: PeerAddress): boolean {
  return parseIpv4(address.host) !== undefined && address.port >= 1 && address.port <= 65535;
}
