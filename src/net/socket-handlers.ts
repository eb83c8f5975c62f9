// The callbacks that Bun calls for every socket of this folder: each is passed on to the socket's connection.
import type { OnBug, TcpConnection } from "./tcp-connection.ts";

/** What a socket carries; empty until it is open. */
export interface SocketData {
  connection: TcpConnection | undefined;
}

/** `onOpen` makes the connection and stores it in `socket.data`. */
export function socketHandlers(
  onOpen: (socket: Bun.Socket<SocketData>) => void,
  onBug: OnBug,
): Bun.SocketHandler<SocketData> {
  return {
    binaryType: "uint8array",
    open: onOpen,
    data: (socket, chunk) => socket.data.connection?.handleData(chunk),
    drain: (socket) => socket.data.connection?.flush(),
    close: (socket, error) => socket.data.connection?.handleClose(error),
    // Without this handler an exception in the others would be uncaught.
    error: (socket, error) => {
      if (socket.data.connection === undefined) onBug(error);
      else socket.data.connection.handleBug(error);
    },
  };
}
