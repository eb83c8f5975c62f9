// Opens one TCP connection within a given time. Failure is an everyday answer here, not an exception.
import type { PeerAddress } from "../core/format/peer-address.ts";
import { systemErrorCode } from "../lib/errors.ts";
import { type SocketData, socketHandlers } from "./socket-handlers.ts";
import { type OnBug, TcpConnection } from "./tcp-connection.ts";

export interface DialOptions {
  readonly address: PeerAddress;
  /** The address to come from; must be one of this machine's. */
  readonly localAddress?: string | undefined;
  readonly timeoutMs: number;
  /** Gives up early. */
  readonly signal?: AbortSignal | undefined;
  readonly onBug: OnBug;
}

export type DialFailure = "refused" | "unreachable" | "timeout" | "aborted" | "other";

export type DialResult =
  /** Attach handlers right after the await; what arrives before is kept. */
  | { readonly type: "connected"; readonly connection: TcpConnection }
  /** `code` is the system's word for it, for the log. */
  | { readonly type: "failed"; readonly reason: DialFailure; readonly code: string };

/** Never rejects. A connection that opens after the time is up is closed at once. */
export function dial(options: DialOptions): Promise<DialResult> {
  const { address, timeoutMs, signal, onBug } = options;
  const { promise, resolve } = Promise.withResolvers<DialResult>();
  let settled = false;
  const settle = (result: DialResult): void => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    resolve(result);
  };
  const onAbort = (): void => settle({ type: "failed", reason: "aborted", code: "ABORT" });
  const timer = setTimeout(() => settle({ type: "failed", reason: "timeout", code: "TIMEOUT" }), timeoutMs);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort);
  if (settled) return promise;

  const handlers = socketHandlers((socket) => {
    // Bun cannot cancel a connect: this one comes too late.
    if (settled) {
      socket.terminate();
      return;
    }
    const connection = TcpConnection.of(socket, "outgoing", onBug);
    socket.data.connection = connection;
    if (connection === undefined) settle({ type: "failed", reason: "other", code: "ECONNRESET" });
    else settle({ type: "connected", connection });
  }, onBug);
  // `localAddress` works, but Bun's types do not know it.
  const request: Bun.TCPSocketConnectOptions<SocketData> & { localAddress?: string } = {
    hostname: address.host,
    port: address.port,
    data: { connection: undefined },
    socket: { ...handlers, connectError: (_socket, error) => settle(failureOf(error)) },
  };
  if (options.localAddress !== undefined) request.localAddress = options.localAddress;
  connect(request).catch((error: unknown) => settle(failureOf(error)));
  return promise;
}

/** `Bun.connect` throws some errors (a foreign local address) instead of rejecting with them. */
async function connect(request: Bun.TCPSocketConnectOptions<SocketData>): Promise<void> {
  await Bun.connect(request);
}

function failureOf(error: unknown): DialResult {
  const code = systemErrorCode(error) ?? "UNKNOWN";
  return { type: "failed", reason: reasonOf(code), code };
}

function reasonOf(code: string): DialFailure {
  switch (code) {
    case "ECONNREFUSED":
      return "refused";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
    case "ENETDOWN":
      return "unreachable";
    case "ETIMEDOUT":
      return "timeout";
    default:
      return "other";
  }
}
