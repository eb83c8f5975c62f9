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

const choose = (
  ip: string | undefined,
  routeTable: string,
  addresses: readonly InterfaceAddress[],
  ...peers: readonly string[]
) =>
  chooseOwnAddress(
    ip,
    { addresses, routeTable, fibTrie: "" },
    peers.map((host) => ({ host, port: 42083 })),
  );

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
    const chosen = chooseOwnAddress(ip, { addresses, routeTable: table, fibTrie: "" }, []);
    expect(chosen).toMatchObject({ host, subnets: addresses.map(({ cidr }) => cidr) });
  });

  test("several candidates without a route: the error lists them and names --ip", () => {
    const refused = () => choose(undefined, noRoute, [lo, eth0, docker]);
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(/10\.1\.1\.5 on eth0, 172\.17\.0\.1 on docker0.*--ip/);
  });

  test.each(["10.9.9.9", "0.0.0.0", "::1", "host", "10.1.1.5:1", "010.1.1.5", ""])(
    "--ip %p is refused",
    (ip) => {
      expect(() => choose(ip, noRoute, [lo, eth0])).toThrow(UsageError);
      expect(() => choose(ip, noRoute, [lo, eth0])).toThrow(/--ip/);
    },
  );
});

describe("The peers that are to be reached", () => {
  const eth0 = on("eth0", "10.1.1.5");
  const docker = on("docker0", "172.17.0.1", 16);
  const lan = route("eth0", "0001010A", "0001", 0, "00FFFFFF");
  const bridge = route("docker0", "000011AC", "0001", 0, "0000FFFF");
  /** 10.0.0.0/8 by a router of eth0. */
  const site = route("eth0", "0000000A", "0003", 0, "000000FF");

  test("decide where docker0 is there and no default route: the address on their network", () => {
    const table = HEADER + bridge + lan;
    expect(choose(undefined, table, [lo, docker, eth0], "10.1.1.9").host).toBe("10.1.1.5");
    expect(choose(undefined, table, [lo, docker, eth0], "172.17.0.9").host).toBe("172.17.0.1");
  });

  test("decide by the route that leads to them, the narrowest of several", () => {
    const eth1 = on("eth1", "10.9.0.5", 16);
    const table = HEADER + site + route("eth1", "0000090A", "0001", 0, "0000FFFF");
    expect(choose(undefined, table, [lo, eth1, eth0], "10.44.0.1").host).toBe("10.1.1.5");
    expect(choose(undefined, table, [lo, eth0, eth1], "10.9.3.1").host).toBe("10.9.0.5");
  });

  test("decide before the default route, and leave it to that when none of them has a route", () => {
    const wan = on("eth9", "192.0.2.2");
    const table = HEADER + defaultVia("eth9") + lan;
    expect(choose(undefined, table, [lo, wan, eth0], "8.8.8.8", "10.1.1.9").host).toBe("10.1.1.5");
    expect(choose(undefined, table, [lo, wan, eth0], "8.8.8.8").host).toBe("192.0.2.2");
  });

  test("choose among several addresses of one interface the one of their network", () => {
    const second = on("eth0", "10.2.2.5");
    const table = HEADER + lan + route("eth0", "0002020A", "0001", 0, "00FFFFFF");
    expect(choose(undefined, table, [lo, eth0, second], "10.2.2.9").host).toBe("10.2.2.5");
  });

  test("decide by the networks of the interfaces where the routing table cannot be read", () => {
    expect(choose(undefined, "", [lo, docker, eth0], "10.1.1.9").host).toBe("10.1.1.5");
  });

  test("do not decide where no route leads to them: several addresses are an error", () => {
    expect(() => choose(undefined, HEADER + lan, [lo, docker, eth0], "8.8.8.8")).toThrow(UsageError);
  });
});

describe("A public address on the default route", () => {
  const wan = on("eth9", "192.0.2.2");
  const eth0 = on("eth0", "10.1.1.5");
  const docker = on("docker0", "172.17.0.1", 16);
  const warning = (...addresses: readonly InterfaceAddress[]) =>
    choose(undefined, HEADER + defaultVia("eth9"), addresses).warning;

  test("beside a private card is a warning that names the private choice", () => {
    expect(warning(lo, wan, eth0, docker)).toBe(
      "the default route leads to the public address 192.0.2.2 on eth9, which is announced; " +
        "for the private network give --ip with 10.1.1.5 on eth0",
    );
  });

  test("is none alone, beside a container network, or when it is given by --ip", () => {
    expect([warning(lo, wan), warning(lo, wan, docker)]).toEqual([undefined, undefined]);
    expect(choose("192.0.2.2", HEADER + defaultVia("eth9"), [wan, eth0]).warning).toBeUndefined();
    expect(choose(undefined, HEADER + defaultVia("eth0"), [wan, eth0]).warning).toBeUndefined();
  });
});

describe("--ip with the address of an interface whose link is down", () => {
  // As the kernel prints it: v0 has 10.78.0.5 and no carrier; 10.79.0.5 is a neighbour, 10.78.0.255 the broadcast address.
  const fibTrie = `Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 10.78.0.5
        /32 host LOCAL
     |-- 10.78.0.255
        /32 link BROADCAST
     |-- 10.79.0.5
        /32 link UNICAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
`;
  const system = { addresses: [lo], routeTable: HEADER, fibTrie };

  test("is ours", () => {
    expect(chooseOwnAddress("10.78.0.5", system, []).host).toBe("10.78.0.5");
  });

  for (const other of ["10.78.0.255", "10.79.0.5", "10.78.0.50", "0.78.0.5"]) {
    test(`${other}, which no interface has, is refused`, () => {
      expect(() => chooseOwnAddress(other, system, [])).toThrow(
        `--ip ${other} is not an address of this machine`,
      );
    });
  }
});

test("findOwnAddress accepts a loopback address on this machine and reports its subnets", () => {
  const { host, subnets } = findOwnAddress("127.0.0.1", []);
  expect(host).toBe("127.0.0.1");
  expect(subnets).toContain("127.0.0.1/8");
});
