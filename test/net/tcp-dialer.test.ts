import { dlopen, ptr } from "bun:ffi";
import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { PeerAddress } from "../../src/core/format/peer-address.ts";
import { readUint16 } from "../../src/lib/bytes.ts";
import { dial, type DialResult } from "../../src/net/tcp-dialer.ts";
import { closeAll, connected, host, listenHere, onBug, open, Side } from "./tcp-fixture.ts";

afterEach(closeAll);

/** A socket that listens but never accepts, with room for one: further connection attempts hang. */
function fullBacklog(): PeerAddress {
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
  open.push({ close: () => void libc.close(fd) });
  return { host, port: readUint16(name, 2) };
}

/** Sockets of this machine that wait for the answer to their SYN to this port. */
function connecting({ port }: PeerAddress): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = readFileSync("/proc/net/tcp", "latin1").split("\n").slice(1);
  return lines.filter((line) => {
    const [, , to, state] = line.trim().split(/\s+/);
    return to?.endsWith(remote) === true && state === "02";
  }).length;
}

function keep(results: readonly DialResult[]): void {
  for (const result of results) if (result.type === "connected") open.push(result.connection);
}

test("dial comes from the local address it is given", async () => {
  const accepted = Promise.withResolvers<Side>();
  const listener = listenHere((connection) => accepted.resolve(new Side(connection)));
  const options = { address: listener.address, timeoutMs: 2000, onBug };
  open.push(connected(await dial({ ...options, localAddress: "127.0.0.9" })));
  expect((await accepted.promise).connection.remote.host).toBe("127.0.0.9");
  const unbound = await dial({ ...options, localAddress: "192.0.2.1" });
  expect(unbound).toEqual({ type: "failed", code: "EADDRNOTAVAIL" });
});

test("dial answers a refused connection with the system's code", async () => {
  const listener = listenHere(() => {});
  listener.close();
  const result = await dial({ address: listener.address, timeoutMs: 2000, onBug });
  expect(result).toEqual({ type: "failed", code: "ECONNREFUSED" });
});

test("W20: dial gives up after its time, and no socket of it is left", async () => {
  const address = fullBacklog();
  const started = performance.now();
  const dials = Array.from({ length: 8 }, () => dial({ address, timeoutMs: 150, onBug }));
  while (connecting(address) === 0) await setImmediate();
  const results = await Promise.all(dials);
  keep(results);
  expect(results).toContainEqual({ type: "failed", code: "TIMEOUT" });
  expect(performance.now() - started).toBeLessThan(1000);
  expect(connecting(address)).toBe(0);
});

test("dial gives up when its signal is aborted, and no socket of it is left", async () => {
  const address = fullBacklog();
  const controller = new AbortController();
  const options = { address, timeoutMs: 60_000, signal: controller.signal, onBug };
  const dials = Array.from({ length: 8 }, () => dial(options));
  while (connecting(address) === 0) await setImmediate();
  controller.abort();
  const results = await Promise.all(dials);
  keep(results);
  expect(results).toContainEqual({ type: "failed", code: "ABORT" });
  expect(connecting(address)).toBe(0);
  expect(await dial(options)).toEqual({ type: "failed", code: "ABORT" });
});

test("dial that is given up while its answer is on the way leaves no connection behind", async () => {
  const accepted = Promise.withResolvers<Side>();
  const listener = listenHere((connection) => accepted.resolve(new Side(connection)));
  const controller = new AbortController();
  const result = dial({ address: listener.address, timeoutMs: 2000, signal: controller.signal, onBug });
  controller.abort();
  expect(await result).toEqual({ type: "failed", code: "ABORT" });
  const side = await Promise.race([accepted.promise, Bun.sleep(200)]);
  await side?.until(() => side.closed.length > 0);
});

test("dial hears the end of a connection, and what comes with it", async () => {
  const listener = listenHere((connection) => {
    connection.attach({ onData() {}, onClose() {} });
    connection.output.reserve(3).set([1, 2, 3]);
    connection.finish();
  });
  const side = new Side(connected(await dial({ address: listener.address, timeoutMs: 2000, onBug })));
  await side.until(() => side.closed.length > 0);
  expect([side.received, side.closed]).toEqual([3, ["remote"]]);
});
