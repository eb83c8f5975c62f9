import { dlopen, ptr } from "bun:ffi";
import { afterEach, expect, test } from "bun:test";
import type { PeerAddress } from "../../src/core/format/peer-address.ts";
import { readUint16 } from "../../src/lib/bytes.ts";
import { dial } from "../../src/net/tcp-dialer.ts";
import { closeAll, connected, host, listenHere, onBug, open, Side } from "./tcp-fixture.ts";

afterEach(closeAll);

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
