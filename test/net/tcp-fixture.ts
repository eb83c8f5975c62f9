// Listeners and connections on loopback, closed after every test, and the bugs that they reported meanwhile.
import { expect } from "bun:test";
import type { CloseReason, TcpConnection, TcpConnectionHandlers } from "../../src/net/tcp-connection.ts";
import { dial, type DialResult } from "../../src/net/tcp-dialer.ts";
import { listen, type TcpListener } from "../../src/net/tcp-listener.ts";

export const host = "127.0.0.1";
export const bugs: unknown[] = [];
export const onBug = (error: unknown): void => void bugs.push(error);
export const open: { close(): void }[] = [];

/** For `afterEach`. A test that expects a bug takes it out of `bugs`. */
export function closeAll(): void {
  for (const thing of open.splice(0)) thing.close();
  expect(bugs.splice(0)).toEqual([]);
}

/** One side of a connection that remembers what happened. */
export class Side implements TcpConnectionHandlers {
  readonly chunks: Uint8Array[] = [];
  readonly closed: CloseReason[] = [];
  readonly #changes: (() => void)[] = [];
  connection: TcpConnection;

  constructor(connection: TcpConnection) {
    this.connection = connection;
    open.push(connection);
    connection.attach(this);
  }

  onData(chunk: Uint8Array): void {
    this.chunks.push(chunk.slice());
    this.#changed();
  }

  onClose(reason: CloseReason): void {
    this.closed.push(reason);
    this.#changed();
  }

  get received(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => this.#changes.push(resolve));
  }

  #changed(): void {
    for (const change of this.#changes.splice(0)) change();
  }
}

export function listenHere(onConnection: (connection: TcpConnection) => void, port = 0): TcpListener {
  const listener = listen({ host, port, onConnection, onBug });
  open.push(listener);
  return listener;
}

export function connected(result: DialResult): TcpConnection {
  if (result.type === "failed") throw new Error(result.code);
  return result.connection;
}

export async function pair(): Promise<[Side, Side]> {
  const accepted = Promise.withResolvers<Side>();
  const listener = listenHere((connection) => accepted.resolve(new Side(connection)));
  const result = await dial({ address: listener.address, timeoutMs: 2000, onBug });
  return [new Side(connected(result)), await accepted.promise];
}
