import { afterEach, expect, test } from "bun:test";
import { ExitCode, UsageError } from "../../src/lib/errors.ts";
import { dial } from "../../src/net/tcp-dialer.ts";
import { AddressTakenError, listen } from "../../src/net/tcp-listener.ts";
import { bugs, closeAll, connected, host, listenHere, onBug, open, Side } from "./tcp-fixture.ts";

afterEach(closeAll);

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
  expect(attempt(host, port)).toThrow(
    `cannot listen on ${host}:${port}: the port is taken; choose another with --port`,
  );
  expect(attempt("192.0.2.1", 0)).toThrow(
    "cannot listen on 192.0.2.1:0: this machine does not have that address; choose one of its own with --ip",
  );
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
