import { afterEach, describe, expect, test } from "bun:test";
import { DATAGRAM_SOURCE_BURST } from "../../src/discovery/limits.ts";
import { systemErrorCode, UsageError } from "../../src/lib/errors.ts";
import { silentLogger } from "../helpers/silent-logger.ts";
import { DatagramBindError, GuardedSocket } from "../../src/discovery/guarded-socket.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";
import { eventually, hostileDatagrams, id20, query, RawUdp, reply } from "./krpc.ts";

const clock = new VirtualClock();
const now = () => clock.now();
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function openGuarded(host: string, accepts: (address: { host: string }) => boolean = () => true) {
  const socket = await GuardedSocket.open({ host, port: 0, accepts, logger: silentLogger, now });
  closers.push(() => socket.close());
  const heard: Uint8Array[] = [];
  socket.on("message", (bytes: Uint8Array) => heard.push(bytes));
  return { socket, heard, address: { host, port: socket.address().port } };
}

async function openRaw(host: string) {
  const raw = await RawUdp.open(host);
  closers.push(() => raw.close());
  return raw;
}

const ping = query("ping", { id: id20("p") });
const sendTo = (socket: GuardedSocket, bytes: Uint8Array, to: { host: string; port: number }) =>
  new Promise<Error | null>((resolve) => socket.send(bytes, 0, bytes.length, to.port, to.host, resolve));

describe("GuardedSocket", () => {
  test("a taken port is a DatagramBindError with the system's code and a remedy", async () => {
    const { address } = await openGuarded("127.0.0.21");
    const error = await GuardedSocket.open({
      ...address,
      accepts: () => true,
      logger: silentLogger,
      now,
    }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DatagramBindError);
    expect(error).toBeInstanceOf(UsageError);
    expect(systemErrorCode(error)).toBe("EADDRINUSE");
    expect((error as Error).message).toMatch(/taken.*--port/);
  });

  test("an address of another machine is refused at once, not with a warning and silence", async () => {
    const options = { host: "192.0.2.77", port: 0, accepts: () => true, logger: silentLogger, now };
    const error = await GuardedSocket.open(options).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DatagramBindError);
    expect(systemErrorCode(error)).toBe("EADDRNOTAVAIL");
  });

  test("hostile datagrams are dropped, and a query after them is passed on", async () => {
    const { socket, heard, address } = await openGuarded("127.0.0.21");
    const raw = await openRaw("127.0.0.22");
    const hostile = Object.values(hostileDatagrams());
    for (const datagram of hostile) raw.send(datagram, address);
    raw.send(ping, address);
    await eventually(() => heard.length > 0);
    expect(heard.map((bytes) => Buffer.from(bytes))).toEqual([Buffer.from(ping)]);
    const refused = [...socket.refusals.values()].reduce((sum, count) => sum + count, 0);
    expect(refused).toBe(hostile.length);
  });

  test("a dead destination does not cost the next one its datagram (IP_RECVERR trap)", async () => {
    const { socket } = await openGuarded("127.0.0.21");
    const live = await openRaw("127.0.0.22");
    for (let round = 0; round < 5; round++) {
      // In one go: an ICMP error of any of the dead is reported on the send that follows it.
      for (let dead = 30; dead < 35; dead++) void sendTo(socket, ping, { host: `127.0.0.${dead}`, port: 9 });
      void sendTo(socket, ping, live.address);
    }
    await eventually(() => live.received.length === 5);
  });

  test("only accepted addresses are sent to and read", async () => {
    const { socket, heard, address } = await openGuarded("127.0.0.21", ({ host }) => host !== "127.0.0.23");
    const [accepted, refused] = [await openRaw("127.0.0.22"), await openRaw("127.0.0.23")];
    expect(await sendTo(socket, ping, refused.address)).toBeNull();
    await sendTo(socket, ping, accepted.address);
    refused.send(ping, address);
    accepted.send(ping, address);
    await eventually(() => heard.length > 0 && accepted.received.length > 0);
    expect([heard.length, refused.received.length]).toEqual([1, 0]);
    expect(Object.fromEntries(socket.refusals)).toEqual({ refusedTarget: 1, refusedSource: 1 });
  });

  test("a reply is passed on once, from the address and port of the query, under its transaction id", async () => {
    const { socket, heard, address } = await openGuarded("127.0.0.21");
    const asked = await openRaw("127.0.0.22");
    const sameHost = await openRaw("127.0.0.22");
    await sendTo(socket, query("ping", { id: id20("p") }, "zz"), asked.address);
    sameHost.send(reply({ id: id20("s") }, "zz"), address);
    asked.send(reply({ id: id20("w") }, "zy"), address);
    asked.send(reply({ id: id20("a") }, "zz"), address);
    asked.send(reply({ id: id20("b") }, "zz"), address);
    await eventually(() => socket.refusals.get("notAsked") === 3);
    expect(heard.map((bytes) => Buffer.from(bytes))).toEqual([Buffer.from(reply({ id: id20("a") }, "zz"))]);
  });

  test("D10: replies that nothing asked for are dropped unread, and their sender's queries are read", async () => {
    let checked = 0;
    const { socket, heard, address } = await openGuarded("127.0.0.21", () => ++checked > 0);
    const flooder = await openRaw("127.0.0.22");
    const unasked = 2 * DATAGRAM_SOURCE_BURST;
    for (let i = 0; i < unasked; i++) {
      flooder.send(reply({ id: id20("s"), values: Array.from({ length: 235 }, () => "abcdef") }), address);
      if (i % 20 === 0) await Bun.sleep(1);
    }
    flooder.send(ping, address);
    await eventually(() => heard.length > 0);
    expect(Object.fromEntries(socket.refusals)).toEqual({ notAsked: unasked });
    // That of the query: an unasked reply is dropped before any address in it is read.
    expect(checked).toBe(1);
  });

  test("D10: the replies to our own queries are read while a flood of queries has used up every rate", async () => {
    const { socket, heard, address } = await openGuarded("127.0.0.21");
    const asked = await openRaw("127.0.0.22");
    for (let i = 0; i < DATAGRAM_SOURCE_BURST + 50; i++) {
      asked.send(ping, address);
      if (i % 20 === 0) await Bun.sleep(1);
    }
    await eventually(() => (socket.refusals.get("tooMany") ?? 0) > 0);
    await sendTo(socket, query("ping", { id: id20("p") }, "zz"), asked.address);
    asked.send(reply({ id: id20("a") }, "zz"), address);
    await eventually(() => heard.length === DATAGRAM_SOURCE_BURST + 1);
  });

  test("a flood from one port is limited, and another port of that host is still read", async () => {
    const { socket, heard, address } = await openGuarded("127.0.0.21");
    const [flooder, neighbour] = [await openRaw("127.0.0.22"), await openRaw("127.0.0.22")];
    for (let i = 0; i < 1000; i++) {
      flooder.send(ping, address);
      if (i % 100 === 0) await Bun.sleep(1);
    }
    await eventually(() => (socket.refusals.get("tooMany") ?? 0) > 400);
    expect(heard).toHaveLength(DATAGRAM_SOURCE_BURST);
    clock.advance(1000);
    flooder.send(ping, address);
    await eventually(() => heard.length > DATAGRAM_SOURCE_BURST);
    const lastPing = query("ping", { id: id20("n") });
    await eventually(() => {
      // The system itself may drop one while its buffer is full of the flood.
      neighbour.send(lastPing, address);
      return heard.some((bytes) => Buffer.from(bytes).equals(lastPing));
    });
  });

  test("send and listeners never throw: bad ports, names, exceptions, a closed socket", async () => {
    const { socket, address } = await openGuarded("127.0.0.21");
    for (const port of [0, -1, 65_536, Number.NaN])
      expect(await sendTo(socket, ping, { host: "127.0.0.22", port })).toBeNull();
    expect(await sendTo(socket, ping, { host: "router.bittorrent.com", port: 6881 })).toBeNull();
    socket.on("message", () => {
      throw new Error("listener");
    });
    const raw = await openRaw("127.0.0.22");
    raw.send(ping, address);
    await eventually(() => socket.refusals.get("handlerFailed") === 1);
    socket.close();
    socket.close();
    expect(await sendTo(socket, ping, raw.address)).toBeNull();
    expect(socket.address().port).toBe(0);
  });
});
