import { expect, test } from "bun:test";
import { AddressPolicy } from "../../../src/core/swarm/address-policy.ts";
import { NetworkFixture } from "./network-fixture.ts";
import { OutsideAddresses } from "../../../src/session/network/outside-addresses.ts";

function warningsOf(allowed: readonly string[], ...hosts: readonly string[]): string[] {
  const warnings: string[] = [];
  const policy = new AddressPolicy({ subnets: ["10.1.1.5/24"], allowed, own: [] });
  const outside = new OutsideAddresses(policy, { warn: (message) => warnings.push(message) });
  for (const host of hosts) outside.saw(host);
  return warnings;
}

test("The first peer outside of the private networks is one warning that names --allow with its network", () => {
  expect(warningsOf([], "10.9.9.9", "127.0.0.1", "192.0.2.7", "198.51.100.1")).toEqual([
    "192.0.2.7 is not in a private network: peers there are not told of one another and share nothing; " +
      "if it is one of yours give --allow with its network (192.0.2.0/24) on every machine",
  ]);
});

test("A peer in a network of --allow is none", () => {
  expect(warningsOf(["192.0.2.0/24"], "192.0.2.7")).toEqual([]);
});

test("A node tells of the host of a peer that it admitted, and of no other connection", () => {
  const admitted: string[] = [];
  const fixture = new NetworkFixture({ onAdmitted: (host) => admitted.push(host) });
  fixture.swarm();
  fixture.accept("192.0.2.1");
  fixture.join(1, "192.0.2.2", 99);
  fixture.join(2, "192.0.2.3");
  expect(admitted).toEqual(["192.0.2.3"]);
});
