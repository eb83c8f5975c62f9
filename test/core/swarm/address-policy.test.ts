import { describe, expect, test } from "bun:test";
import { AddressPolicy } from "../../../src/core/swarm/address-policy.ts";
import { parseAddress } from "../../../src/core/format/peer-address.ts";

const subnets = ["127.0.0.1/8", "10.1.1.5/24", "203.0.113.7/28", "192.0.2.4/31", "fe80::1/64"];
const policy = new AddressPolicy({ subnets, own: [{ host: "10.1.1.5", port: 42083 }] });
const allows = (text: string, pinned = false, which = policy): boolean =>
  which.allows(parseAddress(text)!, pinned);

describe("AddressPolicy", () => {
  test.each([
    "10.0.0.1:2000",
    "10.1.1.6:42083",
    "172.16.0.1:2000",
    "172.31.255.254:2000",
    "192.168.1.255:2000",
    "100.64.0.1:2000",
    "100.127.255.254:65535",
    "169.254.3.4:1024",
    "203.0.113.1:2000",
    "203.0.113.14:2000",
    "192.0.2.5:2000",
    "10.1.1.5:42084",
  ])("allows %s", (text) => {
    expect(allows(text)).toBe(true);
  });

  test.each([
    "8.8.8.8:2000",
    "172.15.255.255:2000",
    "172.32.0.1:2000",
    "192.169.0.1:2000",
    "100.63.255.255:2000",
    "100.128.0.1:2000",
    "203.0.113.16:2000",
    "192.0.2.6:2000",
    "9.255.255.255:2000",
    "11.0.0.1:2000",
  ])("refuses %s, which is public, but not when the user named it", (text) => {
    expect(allows(text)).toBe(false);
    expect(allows(text, true)).toBe(true);
  });

  test.each([
    "0.0.0.0:2000",
    "0.1.2.3:2000",
    "224.0.0.1:2000",
    "239.192.152.143:6771",
    "240.0.0.1:2000",
    "255.255.255.255:2000",
    "10.1.1.255:2000",
    "10.1.1.0:2000",
    "203.0.113.15:2000",
    "203.0.113.0:2000",
  ])("never allows %s, which is no single host", (text) => {
    expect(allows(text)).toBe(false);
    expect(allows(text, true)).toBe(false);
  });

  test("never allows our own address, and on it only our own port is ours", () => {
    expect([allows("10.1.1.5:42083"), allows("10.1.1.5:42083", true), allows("10.1.1.5:42070")]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test("W20: refuses the ports of system services unless the user named one", () => {
    expect([
      allows("10.0.0.1:22"),
      allows("10.0.0.1:1023"),
      allows("10.0.0.1:1024"),
      allows("10.0.0.1:22", true),
    ]).toEqual([false, false, true, true]);
  });

  test("allows loopback only to a process that listens on it, whatever the interfaces are", () => {
    expect([allows("127.0.0.2:2000"), allows("127.0.0.2:2000", true)]).toEqual([false, true]);
    const local = new AddressPolicy({ subnets, own: [{ host: "127.0.0.11", port: 2000 }] });
    expect([allows("127.0.0.2:2000", false, local), allows("127.0.0.11:2001", false, local)]).toEqual([
      true,
      true,
    ]);
    expect([allows("127.0.0.11:2000", false, local), allows("127.0.0.2:80", false, local)]).toEqual([
      false,
      false,
    ]);
  });

  test.each([
    "0.0.0.0/0",
    "8.8.8.8/7",
    "8.8.8.8/33",
    "8.8.8.8/-1",
    "8.8.8.8",
    "8.8.8.8/",
    "x/8",
    "8.8.8/8",
    "",
  ])("is not opened by the subnet %p", (cidr) => {
    const strange = new AddressPolicy({ subnets: [cidr], own: [] });
    expect([allows("8.8.8.8:2000", false, strange), allows("10.9.9.9:2000", false, strange)]).toEqual([
      false,
      true,
    ]);
  });

  test("refuses what is not an IPv4 address", () => {
    expect(policy.allows({ host: "seed.local", port: 2000 }, true)).toBe(false);
    expect(policy.allows({ host: "::1", port: 2000 }, true)).toBe(false);
  });
});

describe("Networks of --allow", () => {
  const wide = new AddressPolicy({ subnets, allowed: ["8.8.8.0/24", "9.0.0.0/7"], own: [] });

  test("count as private, all addresses of them", () => {
    for (const text of ["8.8.8.0:2000", "8.8.8.255:2000"]) expect(allows(text, false, wide)).toBe(true);
    expect(allows("8.8.9.1:2000", false, wide)).toBe(false);
    expect(allows("8.8.8.8:80", false, wide)).toBe(false);
  });

  test("are left out when they are wider than a /8", () => {
    expect(allows("9.1.1.1:2000", false, wide)).toBe(false);
  });

  test("and private ones and those of our interfaces are inside, any other host is outside", () => {
    for (const host of ["8.8.8.8", "10.3.3.3", "203.0.113.3", "127.0.0.1", "no host"]) {
      expect(wide.isOutside(host)).toBe(false);
    }
    expect([wide.isOutside("8.8.9.1"), policy.isOutside("8.8.8.8")]).toEqual([true, true]);
  });
});
