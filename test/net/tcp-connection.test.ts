import { afterEach, expect, test } from "bun:test";
import { concatBytes } from "../../src/lib/bytes.ts";
import { KiB } from "../../src/lib/units.ts";
import { TcpConnection, type TcpSocket } from "../../src/net/tcp-connection.ts";
import { dial } from "../../src/net/tcp-dialer.ts";
import { bugs, closeAll, connected, host, listenHere, onBug, pair, Side } from "./tcp-fixture.ts";

afterEach(closeAll);

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

test("W15: TcpConnection reports its end once, whichever side ends it", async () => {
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

test("TcpConnection gives handlers that are attached in onData the same chunk, and everything after it", async () => {
  const [a, b] = await pair();
  const first: Uint8Array[] = [];
  const later: Side[] = [];
  b.connection.attach({
    onData: (chunk) => {
      first.push(chunk.slice());
      later.push(new Side(b.connection));
    },
    onClose: () => {},
  });
  for (const byte of [1, 2]) {
    a.connection.output.reserve(2).fill(byte);
    a.connection.flush();
    while ((later[0]?.received ?? 0) < 2 * byte) await Bun.sleep(1);
  }
  expect(first).toEqual([Uint8Array.of(1, 1)]);
  expect(concatBytes(later[0]!.chunks)).toEqual(Uint8Array.of(1, 1, 2, 2));
  a.connection.close();
  await later[0]!.until(() => later[0]!.closed.length > 0);
});

test("TcpConnection hands its own socket to loss-paced.ts, and none once it is closed", () => {
  let asked = 0;
  const ends = { remoteAddress: host, remotePort: 1, localAddress: host, localPort: 2 };
  const socket = Object.defineProperty({ ...ends, terminate: () => {} }, "fd", {
    get: () => {
      asked++;
      return -1;
    },
  });
  const connection = TcpConnection.of(socket as unknown as TcpSocket, "incoming", onBug);
  expect(asked).toBe(0);
  connection?.paceByLoss();
  expect(asked).toBe(1);
  connection?.close();
  connection?.paceByLoss();
  expect(asked).toBe(1);
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
