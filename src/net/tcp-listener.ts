// Accepts TCP connections on one address. Distinguishes a taken port from other failures, so that a range can be tried.
import { addressKey, type PeerAddress } from "../core/format/peer-address.ts";
import { errnoWords } from "../lib/errno.ts";
import { systemErrorCode, UsageError } from "../lib/errors.ts";
import { type SocketData, socketHandlers } from "./socket-handlers.ts";
import { type OnBug, TcpConnection } from "./tcp-connection.ts";

/** Another process listens there. */
export class AddressTakenError extends UsageError {}

export interface ListenOptions {
  /** An IPv4 address, "0.0.0.0" for all of them. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Must attach handlers (or close the connection) before it returns. */
  readonly onConnection: (connection: TcpConnection) => void;
  readonly onBug: OnBug;
}

export interface TcpListener {
  readonly address: PeerAddress;
  /** No new connections; the accepted ones live on. */
  close(): void;
}

/** @throws AddressTakenError, or UsageError when the address is not ours or the port needs privileges. */
export function listen(options: ListenOptions): TcpListener {
  const { host, port, onConnection, onBug } = options;
  const handlers = socketHandlers((socket) => {
    const connection = TcpConnection.of(socket, "incoming", onBug);
    // The data of the listener is shared by its sockets until each gets its own.
    socket.data = { connection };
    if (connection === undefined) return;
    try {
      onConnection(connection);
    } catch (error) {
      connection.handleBug(error);
    }
  }, onBug);
  try {
    const listener = Bun.listen<SocketData>({
      hostname: host,
      port,
      socket: handlers,
      data: { connection: undefined },
    });
    return { address: { host, port: listener.port }, close: () => listener.stop() };
  } catch (error) {
    throw listenError({ host, port }, error);
  }
}

function listenError(address: PeerAddress, cause: unknown): Error {
  const code = systemErrorCode(cause);
  const words = errnoWords("port", code) ?? "correct --ip and --port";
  const message = `cannot listen on ${addressKey(address)}: ${words}`;
  return code === "EADDRINUSE"
    ? new AddressTakenError(message, { cause })
    : new UsageError(message, { cause });
}
