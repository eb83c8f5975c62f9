// One TCP connection: bytes in as they arrive, bytes out through a queue, one end. Wraps a Bun socket and its exceptions and
// traps. Knows no BitTorrent.
import type { PeerAddress } from "../core/format/peer-address.ts";
import { paceByLoss } from "./loss-paced.ts";
import { OutputQueue } from "./output-queue.ts";
import { release } from "./release.ts";

/** Ours: `local` (close was called) and `bug` (a handler threw). The peer's: `remote` (FIN) and `reset` (an error). */
export type CloseReason = "local" | "bug" | "remote" | "reset";

export interface TcpConnectionHandlers {
  /** The chunk, at most 512 KiB, is valid during the call. What the handler puts into `output` leaves in one write after it. */
  onData(chunk: Uint8Array): void;
  /** The socket took bytes: `totalWritten` of them since the beginning. The handler may queue more without flushing. */
  onWritten?(totalWritten: number): void;
  /** The queue became empty. The handler may queue more without flushing. */
  onDrained?(): void;
  /** Last call ever, also when `close` was called. */
  onClose(reason: CloseReason): void;
}

/** Called with the exceptions of handlers: our bugs. */
export type OnBug = (error: unknown) => void;

/** What is used of Bun's socket. */
export type TcpSocket = Pick<
  Bun.Socket<unknown>,
  | "write"
  | "end"
  | "terminate"
  | "pause"
  | "resume"
  | "remoteAddress"
  | "remotePort"
  | "localAddress"
  | "localPort"
>;

export class TcpConnection {
  readonly remote: PeerAddress;
  readonly local: PeerAddress;
  readonly direction: "incoming" | "outgoing";
  readonly output = new OutputQueue();
  readonly #socket: TcpSocket;
  readonly #onBug: OnBug;
  #handlers: TcpConnectionHandlers | undefined;
  /** Chunks that arrived before `attach`. */
  #early: Uint8Array[] = [];
  #closed: CloseReason | undefined;
  #flushing = false;
  #finishing = false;
  #paused = false;

  private constructor(socket: TcpSocket, ends: Ends, direction: "incoming" | "outgoing", onBug: OnBug) {
    this.#socket = socket;
    this.#onBug = onBug;
    this.direction = direction;
    this.remote = ends.remote;
    this.local = ends.local;
  }

  /** @returns undefined, and ends the socket, when the peer has reset it already: it has no addresses any more. */
  static of(socket: TcpSocket, direction: "incoming" | "outgoing", onBug: OnBug): TcpConnection | undefined {
    const remote = endOf(socket.remoteAddress, socket.remotePort);
    const local = endOf(socket.localAddress, socket.localPort);
    if (remote !== undefined && local !== undefined) {
      return new TcpConnection(socket, { remote, local }, direction, onBug);
    }
    socket.terminate();
    return undefined;
  }

  get pendingBytes(): number {
    return this.output.pendingBytes;
  }

  get totalWritten(): number {
    return this.output.totalWritten;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Chunks that arrived before are delivered during the call. A handler hands the connection on by attaching others in its
   * `onData`: they get the same chunk as soon as it returns, and everything after it.
   */
  attach(handlers: TcpConnectionHandlers): void {
    this.#handlers = handlers;
    const early = this.#early;
    this.#early = [];
    if (early.length > 0 && !this.#paused) this.#socket.resume();
    for (const chunk of early) this.#deliver(chunk);
    if (this.#closed !== undefined) this.#tell((to) => to.onClose(this.#closed ?? "local"));
  }

  /** Gives the socket what it takes now; the rest follows by itself. Needed only for output made outside of handlers. */
  flush(): void {
    // A handler called below may flush again: the loop already does.
    if (this.#flushing || this.#closed !== undefined) return;
    this.#flushing = true;
    let more = true;
    while (more && this.output.pendingBytes > 0 && !this.isClosed) {
      const before = this.output.totalWritten;
      more = this.output.flush((bytes, start, length) => this.#socket.write(bytes, start, length));
      const total = this.output.totalWritten;
      if (total > before) this.#tell((to) => to.onWritten?.(total));
      if (more && this.output.pendingBytes === 0) this.#tell((to) => to.onDrained?.());
    }
    this.#flushing = false;
    if (!this.#finishing || this.isClosed || this.output.pendingBytes > 0) return;
    this.#finishing = false;
    this.#socket.end();
  }

  /**
   * Sends what is queued and then the end of the stream. The peer closes when it has read it all, and `onClose` follows;
   * a `close` instead would throw away what the system has taken and not delivered.
   */
  finish(): void {
    this.#finishing = true;
    this.resume();
    this.flush();
  }

  /** Ends the connection at once; what was not sent is lost. `onClose` is called before this returns, and only once. */
  close(): void {
    this.#end("local");
  }

  /** No more `onData` until `resume`; the peer is slowed down by TCP. The peer's end is noticed only after it. */
  pause(): void {
    if (this.#paused || this.isClosed) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.isClosed) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Takes the connection from bbr, where that is the system's default. See loss-paced.ts. */
  paceByLoss(): void {
    if (!this.isClosed) paceByLoss(this.#socket);
  }

  /** For the socket's handlers in this folder. */
  handleData(chunk: Uint8Array): void {
    if (this.#handlers !== undefined) {
      this.#deliver(chunk);
      return;
    }
    this.#early.push(chunk);
    this.#socket.pause();
  }

  handleClose(error: unknown): void {
    this.#end(error instanceof Error ? "reset" : "remote");
  }

  handleBug(error: unknown): void {
    this.#onBug(error);
    this.#end("bug");
  }

  #deliver(chunk: Uint8Array): void {
    if (this.isClosed) return;
    let handlers: TcpConnectionHandlers | undefined;
    while (this.#handlers !== handlers && !this.isClosed) {
      handlers = this.#handlers;
      this.#tell((to) => to.onData(chunk));
    }
    release(chunk);
    this.flush();
  }

  #end(reason: CloseReason): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.output.close();
    this.#socket.terminate();
    this.#tell((to) => to.onClose(reason));
  }

  /** A handler that throws ends its connection and nothing else. */
  #tell(call: (handlers: TcpConnectionHandlers) => void): void {
    if (this.#handlers === undefined) return;
    try {
      call(this.#handlers);
    } catch (error) {
      this.handleBug(error);
    }
  }
}

interface Ends {
  readonly remote: PeerAddress;
  readonly local: PeerAddress;
}

/** Bun's types do not say that a closed socket has no addresses. */
function endOf(host: string | undefined, port: number | undefined): PeerAddress | undefined {
  return host === undefined || port === undefined ? undefined : { host, port };
}
