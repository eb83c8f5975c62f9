// On loopback, with other sockets on the ports that are wanted.
import { afterEach, describe, expect, test } from "bun:test";
import { silentLogger } from "../../helpers/silent-logger.ts";
import { UsageError } from "../../../src/lib/errors.ts";
import { type OpenPort, openPort } from "../../../src/session/network/open-port.ts";

const IP = `127.8.${process.pid % 250}.9`;
const FIRST = 42_100;
const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function opened(options: {
  port?: number;
  keptPort?: number;
  last?: number;
  ip?: string;
}): Promise<OpenPort> {
  const { port, keptPort, last = FIRST + 1, ip = IP } = options;
  const result = await openPort({
    options: {
      ip,
      port,
      portRange: { first: FIRST, last },
      peers: [],
      allow: [],
      uploadLimit: 0,
      downloadLimit: 0,
    },
    keptPort,
    bootstrap: [],
    logger: silentLogger,
    onConnection: (connection) => connection.close(),
    onBug: () => {},
  });
  open.push(async () => {
    result.listener.close();
    for (const source of result.sources) await source.close();
  });
  return result;
}

function takeTcp(port: number): void {
  const listener = Bun.listen({ hostname: IP, port, socket: { data() {} } });
  open.push(() => listener.stop(true));
}

async function takeUdp(port: number): Promise<void> {
  const socket = await Bun.udpSocket({ hostname: IP, port });
  open.push(() => socket.close());
}

describe("The port of a node", () => {
  test("is the given one before the kept one, and the kept one before any of the range", async () => {
    expect((await opened({ port: FIRST + 5, keptPort: FIRST + 6 })).address.port).toBe(FIRST + 5);
    expect((await opened({ keptPort: FIRST + 6 })).address.port).toBe(FIRST + 6);
    expect((await opened({ last: FIRST })).address).toEqual({ host: IP, port: FIRST });
  });

  test.each(["TCP", "UDP"])("is another one of the range when %s is taken", async (protocol) => {
    if (protocol === "TCP") takeTcp(FIRST);
    else await takeUdp(FIRST);
    expect((await opened({})).address.port).toBe(FIRST + 1);
    // What was opened of the first attempt is closed again.
    if (protocol === "UDP") takeTcp(FIRST);
  });

  test("is the same for connections and for the DHT, which may contact our subnet and not ourselves", async () => {
    const { address, policy, sources, bindHost } = await opened({});
    expect(sources.map(({ name, nodeCount }) => [name, nodeCount])).toEqual([["dht", 0]]);
    expect([policy.allows(address, false), policy.allows({ host: "127.0.0.1", port: 2000 }, false)]).toEqual([
      false,
      true,
    ]);
    expect(bindHost).toBe(IP);
  });

  test("is an error of the user when the only one is taken, or no interface has the address", async () => {
    takeTcp(FIRST);
    await takeUdp(FIRST + 1);
    const refused = (attempt: Promise<unknown>) =>
      attempt.then(
        () => undefined,
        (error: unknown) => error,
      );
    for (const attempt of [opened({ port: FIRST }), opened({}), opened({ ip: "192.0.2.1" })]) {
      expect(await refused(attempt)).toBeInstanceOf(UsageError);
    }
  });
});
