// Opens one TCP connection within a given time. Failure is an everyday answer here, not an exception.
//
// Bun.connect cannot be cancelled: a connect to a host that drops packets keeps its socket until the kernel gives up, after
// two minutes. A socket of node:net can be destroyed at any time, so it does the connecting; the native socket below it, the
// same that Bun.connect makes, carries the connection from then on.
import { Socket } from "node:net";
import type { PeerAddress } from "../core/format/peer-address.ts";
import { assert } from "../lib/assert.ts";
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

export type DialResult =
  /** Attach handlers right after the await; what arrives before is kept. */
  | { readonly type: "connected"; readonly connection: TcpConnection }
  /** The system's error code, "TIMEOUT" or "ABORT", for the log. */
  | { readonly type: "failed"; readonly code: string };

/** Never rejects. The socket of a connect that failed is closed when the promise resolves. */
export function dial(options: DialOptions): Promise<DialResult> {
  const { address, timeoutMs, signal, onBug } = options;
  if (signal?.aborted === true) return Promise.resolve({ type: "failed", code: "ABORT" });
  const { promise, resolve } = Promise.withResolvers<DialResult>();
  const socket = new Socket();
  let settled = false;
  const settle = (result: DialResult): void => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    if (result.type === "failed") socket.destroy();
    resolve(result);
  };
  const fail = (code: string): void => settle({ type: "failed", code });
  const onAbort = (): void => fail("ABORT");
  const timer = setTimeout(() => fail("TIMEOUT"), timeoutMs);
  signal?.addEventListener("abort", onAbort);
  socket.once("connect", () => {
    const connection = connectionOf(socket, onBug);
    if (connection === undefined) fail("ECONNRESET");
    else settle({ type: "connected", connection });
  });
  socket.on("error", (error) => fail(systemErrorCode(error) ?? "UNKNOWN"));
  const { host, port } = address;
  socket.connect({
    host,
    port,
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
  });
  return promise;
}

/** Takes the native socket over: from now on node:net hears nothing of it. */
function connectionOf(socket: Socket, onBug: OnBug): TcpConnection | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- node:net names it so; Bun's version is exact for this reason
  const native: unknown = "_handle" in socket ? socket._handle : undefined;
  assert(isNative(native), "a socket of node:net has no native socket below it");
  const connection = TcpConnection.of(native, "outgoing", onBug);
  native.data = { connection };
  native.reload({ socket: socketHandlers(() => {}, onBug) });
  return connection;
}

function isNative(value: unknown): value is Bun.Socket<SocketData> {
  return typeof value === "object" && value !== null && "reload" in value && "terminate" in value;
}
