import { expect, test } from "bun:test";
import { ipv4ToNumber } from "../../../src/core/format/peer-address.ts";
import { contains, parseSubnet } from "../../../src/core/swarm/subnet.ts";

test.each([
  ["10.1.1.5/24", "10.1.1.0", "10.1.1.255"],
  ["192.0.2.4/31", "192.0.2.4", "192.0.2.5"],
  ["203.0.113.7/32", "203.0.113.7", "203.0.113.7"],
  ["1.2.3.4/0", "0.0.0.0", "255.255.255.255"],
])("%s is %s to %s", (cidr, first, last) => {
  const network = parseSubnet(cidr);
  expect(network).toEqual({ first: ipv4ToNumber(first), last: ipv4ToNumber(last) });
  if (network === undefined) return;
  expect([contains(network, network.first), contains(network, network.last)]).toEqual([true, true]);
  expect([contains(network, network.first - 1), contains(network, network.last + 1)]).toEqual([false, false]);
});

test.each([
  "10.1.1.5",
  "10.1.1.5/",
  "10.1.1.5/33",
  "10.1.1.5/-1",
  "10.1.1/24",
  "fe80::1/64",
  "10.1.1.5/24/8",
  "",
])("%p is no IPv4 network", (cidr) => {
  expect(parseSubnet(cidr)).toBeUndefined();
});
