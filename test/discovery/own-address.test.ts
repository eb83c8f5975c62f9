import { describe, expect, test } from "bun:test";
import { chooseOwnAddress, findOwnAddress, type InterfaceAddress } from "../../src/discovery/own-address.ts";
import { defaultRouteInterface } from "../../src/discovery/routes.ts";
import { UsageError } from "../../src/lib/errors.ts";

const HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT   \n";
const route = (name: string, destination: string, flags: string, metric: number, mask: string) =>
  `${name}\t${destination}\t010200C0\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0     \n`;
const defaultVia = (name: string, metric = 0) => route(name, "00000000", "0003", metric, "00000000");

const on = (name: string, host: string, prefix = 24): InterfaceAddress => ({
  interface: name,
  host,
  cidr: `${host}/${prefix}`,
  isLoopback: name === "lo",
});
const lo = on("lo", "127.0.0.1", 8);

describe("defaultRouteInterface", () => {
  test.each([
    ["an empty file", "", undefined],
    ["the header alone", HEADER, undefined],
    ["no default route", HEADER + route("eth0", "000200C0", "0001", 0, "00FFFFFF"), undefined],
    [
      "one default route",
      HEADER + route("eth0", "000200C0", "0001", 0, "00FFFFFF") + defaultVia("eth1"),
      "eth1",
    ],
    ["two: the lower metric", HEADER + defaultVia("wlan0", 600) + defaultVia("eth0", 100), "eth0"],
    ["two of one metric: the first", HEADER + defaultVia("eth0", 100) + defaultVia("eth1", 100), "eth0"],
    ["a default route that is down", HEADER + route("eth0", "00000000", "0002", 0, "00000000"), undefined],
    ["a reject route", HEADER + route("*", "00000000", "0201", 0, "00000000"), undefined],
    [
      "half the Internet (0/1 of a VPN)",
      HEADER + route("tun0", "00000000", "0003", 0, "00000080"),
      undefined,
    ],
    ["garbage", `${HEADER}eth0 00000000\n\u0000\nx y z\n`, undefined],
  ])("%s", (_, table, expected) => {
    expect(defaultRouteInterface(table)).toBe(expected);
  });
});

describe("chooseOwnAddress", () => {
  const eth0 = on("eth0", "10.1.1.5");
  const docker = on("docker0", "172.17.0.1", 16);
  const noRoute = HEADER;

  test.each([
    [
      "the default route decides among several",
      undefined,
      HEADER + defaultVia("eth0"),
      [lo, docker, eth0],
      "10.1.1.5",
    ],
    [
      "a public address on the default route is taken",
      undefined,
      HEADER + defaultVia("eth9"),
      [lo, on("eth9", "192.0.2.2"), docker],
      "192.0.2.2",
    ],
    [
      "the first address of the routed interface",
      undefined,
      HEADER + defaultVia("eth0"),
      [eth0, on("eth0", "10.9.9.9")],
      "10.1.1.5",
    ],
    ["without a route the only private one", undefined, noRoute, [lo, eth0], "10.1.1.5"],
    [
      "without a route a private one goes before a public one",
      undefined,
      noRoute,
      [lo, on("eth1", "192.0.2.2"), eth0],
      "10.1.1.5",
    ],
    ["without a route the only public one", undefined, noRoute, [lo, on("eth1", "192.0.2.2")], "192.0.2.2"],
    [
      "an interface routed but without IPv4 does not count",
      undefined,
      HEADER + defaultVia("tun0"),
      [lo, eth0],
      "10.1.1.5",
    ],
    ["loopback when there is nothing else", undefined, noRoute, [lo], "127.0.0.1"],
    ["loopback when there is nothing at all", undefined, "", [], "127.0.0.1"],
    [
      "--ip of ours wins over the route",
      "172.17.0.1",
      HEADER + defaultVia("eth0"),
      [lo, docker, eth0],
      "172.17.0.1",
    ],
    ["--ip anywhere in 127/8", "127.0.0.77", noRoute, [lo, eth0], "127.0.0.77"],
  ] as const)("%s", (_, ip, table, addresses, host) => {
    expect(chooseOwnAddress(ip, table, addresses)).toEqual({
      host,
      subnets: addresses.map(({ cidr }) => cidr),
    });
  });

  test("several candidates without a route: the error lists them and names --ip", () => {
    const choose = () => chooseOwnAddress(undefined, noRoute, [lo, eth0, docker]);
    expect(choose).toThrow(UsageError);
    expect(choose).toThrow(/10\.1\.1\.5 on eth0, 172\.17\.0\.1 on docker0.*--ip/);
  });

  test.each(["10.9.9.9", "0.0.0.0", "::1", "host", "10.1.1.5:1", "010.1.1.5", ""])(
    "--ip %p is refused",
    (ip) => {
      expect(() => chooseOwnAddress(ip, noRoute, [lo, eth0])).toThrow(UsageError);
      expect(() => chooseOwnAddress(ip, noRoute, [lo, eth0])).toThrow(/--ip/);
    },
  );
});

test("findOwnAddress accepts a loopback address on this machine and reports its subnets", () => {
  const { host, subnets } = findOwnAddress("127.0.0.1");
  expect(host).toBe("127.0.0.1");
  expect(subnets).toContain("127.0.0.1/8");
});
