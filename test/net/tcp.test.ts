import { afterEach, expect, test } from "bun:test";
import { ExitCode, UsageError } from "../../src/lib/errors.ts";
import { dlopen, ptr } from "bun:ffi";
import type { PeerAddress } from "../../src/core/peer-address.ts";
import { KiB } from "../../src/lib/units.ts";
import { concatBytes, readUint16 } from "../../src/lib/bytes.ts";
import type { CloseReason, TcpConnection, TcpConnectionHandlers } from "../../src/net/tcp-connection.ts";
import { dial, type DialResult } from "../../src/net/tcp-dialer.ts";
import { AddressTakenError, listen, type TcpListener } from "../../src/net/tcp-listener.ts";

const host = "127.0.0.1";
const bugs: unknown[] = [];
const onBug = (error: unknown): void => void bugs.push(error);
const open: { close(): void }[] = [];

afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
  expect(bugs.splice(0)).toEqual([]);
});

/** A socket that listens but never accepts, with room for one: further connection attempts hang. */
function fullBacklog(): { address: PeerAddress; close: () => void } {
  const libc = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "i32"], returns: "i32" },
    listen: { args: ["i32", "i32"], returns: "i32" },
    getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
  }).symbols;
  const fd = libc.socket(2, 1, 0);
  const name = new Uint8Array(16);
  name.set([2, 0, 0, 0, 127, 0, 0, 1]);
  expect(libc.bind(fd, ptr(name), 16)).toBe(0);
  expect(libc.listen(fd, 0)).toBe(0);
  libc.getsockname(fd, ptr(name), ptr(new Int32Array([16])));
  return { address: { host, port: readUint16(name, 2) }, close: () => void libc.close(fd) };
}

/** One side of a connection that remembers what happened. */
class Side implements TcpConnectionHandlers {
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

function listenHere(onConnection: (connection: TcpConnection) => void, port = 0): TcpListener {
  const listener = listen({ host, port, onConnection, onBug });
  open.push(listener);
  return listener;
}

function connected(result: DialResult): TcpConnection {
  if (result.type === "failed") throw new Error(result.code);
  return result.connection;
}

async function pair(): Promise<[Side, Side]> {
  const accepted = Promise.withResolvers<Side>();
  const listener = listenHere((connection) => accepted.resolve(new Side(connection)));
  const result = await dial({ address: listener.address, timeoutMs: 2000, onBug });
  return [new Side(connected(result)), await accepted.promise];
}

test("TcpConnection knows both addresses and its direction", async () => {
  const [a, b] = await pair();
  expect(a.connection.remote).toEqual(b.connection.local);
  expect(b.connection.remote).toEqual(a.connection.local);
  expect([a.connection.direction, b.connection.direction]).toEqual(["outgoing", "incoming"]);
});

test("TcpConnection finish delivers all that is queued, to a reader that is behind and still speaks", async () => {
  const [a, b] = await pair();
  b.connection.pause();
  a.connection.output.reserve(8_000_000);
  a.connection.finish();
  // What the other side says meanwhile must not turn the end into a reset that takes bytes back.
  b.connection.output.reserve(1000);
  b.connection.flush();
  b.connection.resume();
  await b.until(() => b.closed.length > 0);
  await a.until(() => a.closed.length > 0);
  expect(b.received).toBe(8_000_000);
  expect([a.closed, b.closed]).toEqual([["remote"], ["remote"]]);
});

test("TcpConnection delivers 20 MB through partial writes, with onWritten and onDrained", async () => {
  const [a, b] = await pair();
  const content = crypto.getRandomValues(new Uint8Array(50_000));
  const written: number[] = [];
  let drained = 0;
  let queued = 0;
  const more = (): void => {
    for (; queued < 400 && a.connection.pendingBytes < 1_000_000; queued++) {
      a.connection.output.reserve(content.length).set(content);
    }
  };
  Object.assign(a, {
    onWritten: (total: number) => {
      written.push(total);
      more();
    },
    onDrained: () => void drained++,
  });
  more();
  a.connection.flush();
  await b.until(() => b.received === 400 * content.length);
  const whole = concatBytes(b.chunks);
  for (let i = 0; i < 400; i++) {
    expect(Buffer.compare(whole.subarray(i * content.length, (i + 1) * content.length), content)).toBe(0);
  }
  expect(written.at(-1)).toBe(400 * content.length);
  expect(written).toEqual(written.toSorted((x, y) => x - y));
  expect(drained).toBeGreaterThan(0);
  expect([a.connection.pendingBytes, a.connection.totalWritten]).toEqual([0, 400 * content.length]);
});

test("TcpConnection keeps what a reader that is slow has not taken", async () => {
  const [a, b] = await pair();
  b.connection.pause();
  const size = 12 * 1024 * 1024;
  a.connection.output.reserve(size).fill(7);
  a.connection.flush();
  expect(a.connection.pendingBytes).toBeGreaterThan(0);
  expect(a.connection.totalWritten + a.connection.pendingBytes).toBe(size);
  b.connection.resume();
  await b.until(() => b.received === size);
  expect(a.connection.pendingBytes).toBe(0);
});

test("TcpConnection sends what a data handler queued without being asked", async () => {
  const [a, b] = await pair();
  const echo = b.onData.bind(b);
  b.onData = (chunk) => {
    b.connection.output.reserve(chunk.length).set(chunk);
    echo(chunk);
  };
  a.connection.output.reserve(5).set([1, 2, 3, 4, 5]);
  a.connection.flush();
  await a.until(() => a.received === 5);
  expect(concatBytes(a.chunks)).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
});

test("TcpConnection frees a long chunk as soon as its handler has returned", async () => {
  const [a, b] = await pair();
  const kept: Uint8Array[] = [];
  const take = b.onData.bind(b);
  b.onData = (chunk) => {
    kept.push(chunk);
    take(chunk);
  };
  a.connection.output.reserve(2_000_000);
  a.connection.flush();
  await b.until(() => b.received === 2_000_000);
  const lengths = b.chunks.map((chunk) => chunk.length);
  expect(Math.max(...lengths)).toBeGreaterThanOrEqual(64 * KiB);
  expect(kept.map((chunk) => chunk.length)).toEqual(lengths.map((n) => (n >= 64 * KiB ? 0 : n)));
});

test("W15: TcpConnection tells of its end once, whoever ends it", async () => {
  const [a, b] = await pair();
  a.connection.close();
  a.connection.close();
  expect(a.closed).toEqual(["local"]);
  await b.until(() => b.closed.length > 0);
  b.connection.close();
  b.connection.output.reserve(3);
  b.connection.flush();
  expect(b.closed.length).toBe(1);
  expect(["remote", "reset"]).toContain(b.closed[0]!);
});

test("TcpConnection keeps data and end that come before handlers are attached", async () => {
  const accepted = Promise.withResolvers<TcpConnection>();
  const listener = listenHere((connection) => accepted.resolve(connection));
  const a = new Side(connected(await dial({ address: listener.address, timeoutMs: 2000, onBug })));
  const connection = await accepted.promise;
  a.connection.output.reserve(3).set([1, 2, 3]);
  a.connection.flush();
  await Bun.sleep(20);
  const b = new Side(connection);
  expect(concatBytes(b.chunks)).toEqual(Uint8Array.of(1, 2, 3));
  a.connection.close();
  await b.until(() => b.closed.length > 0);

  const late = new Side(connection);
  expect(late.closed.length).toBe(1);
});

test("TcpConnection reports a throwing handler as a bug and closes only itself", async () => {
  const [a, b] = await pair();
  b.onData = () => {
    throw new Error("planted");
  };
  a.connection.output.reserve(1);
  a.connection.flush();
  await a.until(() => a.closed.length > 0);
  expect(b.closed).toEqual(["bug"]);
  expect(bugs.splice(0).map(String)).toEqual(["Error: planted"]);
});

test("listen reports a throwing connection handler as a bug and goes on accepting", async () => {
  let calls = 0;
  const listener = listenHere((connection) => {
    if (++calls === 1) throw new Error("planted");
    open.push(new Side(connection).connection);
  });
  // The reset may be seen before the connection is or after it.
  const first = await dial({ address: listener.address, timeoutMs: 2000, onBug });
  if (first.type === "connected") {
    const side = new Side(first.connection);
    await side.until(() => side.closed.length > 0);
  } else expect(first.code).toBe("ECONNRESET");
  expect(bugs.splice(0).map(String)).toEqual(["Error: planted"]);
  const second = await dial({ address: listener.address, timeoutMs: 2000, onBug });
  open.push(connected(second));
  expect(second.type).toBe("connected");
});

test("listen tells a taken port from an address that is not ours", () => {
  const { port } = listenHere(() => {}).address;
  const attempt = (at: string, port: number) => () =>
    listen({ host: at, port, onConnection: () => {}, onBug });
  expect(attempt(host, port)).toThrow(AddressTakenError);
  expect(attempt(host, port)).toThrow(`${host}:${port} is in use by another process: choose another --port`);
  expect(attempt("192.0.2.1", 0)).toThrow("192.0.2.1 is not an address of this machine: correct --ip");
  try {
    attempt("192.0.2.1", 0)();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect(error).not.toBeInstanceOf(AddressTakenError);
    expect((error as UsageError).exitCode).toBe(ExitCode.usage);
  }
});

test("listen keeps accepted connections when it stops, and frees the port", async () => {
  const accepted = Promise.withResolvers<Side>();
  const listener = listenHere((connection) => accepted.resolve(new Side(connection)));
  const a = new Side(connected(await dial({ address: listener.address, timeoutMs: 2000, onBug })));
  const b = await accepted.promise;
  listener.close();
  a.connection.output.reserve(1);
  a.connection.flush();
  await b.until(() => b.received === 1);
  listenHere(() => {}, listener.address.port);
});

test("dial comes from the local address it is given", async () => {
  const accepted = Promise.withResolvers<Side>();
  const listener = listenHere((connection) => accepted.resolve(new Side(connection)));
  const options = { address: listener.address, timeoutMs: 2000, onBug };
  open.push(connected(await dial({ ...options, localAddress: "127.0.0.9" })));
  expect((await accepted.promise).connection.remote.host).toBe("127.0.0.9");
  const foreign = await dial({ ...options, localAddress: "192.0.2.1" });
  expect(foreign).toMatchObject({ type: "failed" });
});

test("dial answers a refused connection with a reason", async () => {
  const listener = listenHere(() => {});
  listener.close();
  const result = await dial({ address: listener.address, timeoutMs: 2000, onBug });
  expect(result).toEqual({ type: "failed", reason: "refused", code: "ECONNREFUSED" });
});

test("dial gives up after its time when nobody answers", async () => {
  const { address, close } = fullBacklog();
  open.push({ close });
  const started = performance.now();
  const results = await Promise.all(
    Array.from({ length: 4 }, () => dial({ address, timeoutMs: 150, onBug })),
  );
  for (const result of results) if (result.type === "connected") open.push(result.connection);
  expect(results).toContainEqual({ type: "failed", reason: "timeout", code: "TIMEOUT" });
  expect(performance.now() - started).toBeLessThan(1000);
});

test("dial closes what opens after it was given up", async () => {
  const accepted = Promise.withResolvers<Side>();
  const listener = listenHere((connection) => accepted.resolve(new Side(connection)));
  const controller = new AbortController();
  const result = dial({ address: listener.address, timeoutMs: 2000, signal: controller.signal, onBug });
  controller.abort();
  expect(await result).toMatchObject({ type: "failed" });
  const side = await accepted.promise;
  await side.until(() => side.closed.length > 0);
});

test("dial gives up when it is told to", async () => {
  const { address } = listenHere(() => {});
  const controller = new AbortController();
  const result = dial({ address, timeoutMs: 2000, signal: controller.signal, onBug });
  controller.abort();
  expect(await result).toEqual({ type: "failed", reason: "aborted", code: "ABORT" });
  const again = await dial({ address, timeoutMs: 2000, signal: controller.signal, onBug });
  expect(again).toMatchObject({ reason: "aborted" });
});
