// IPv4 addresses and ports, alone and together, as flags. Whether an address is our own is for the session to find out.
import { MAX_ALLOWED_NETWORKS, MAX_FLAG_PEERS } from "../limits.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import { addressKey, parseAddress, parseIpv4, parsePort } from "../../core/format/peer-address.ts";
import { SHORTEST_PREFIX } from "../../core/swarm/limits.ts";
import { parseSubnet } from "../../core/swarm/subnet.ts";
import type { ValueKind } from "./value-kind.ts";

/** An address that one host can have: not 0.x.x.x, not multicast, not broadcast. */
export const hostAddress: ValueKind<string> = {
  expected: "an IPv4 address of this machine (10.1.1.1)",
  read(text) {
    const host = parseIpv4(text);
    if (host === undefined) return undefined;
    const first = Number(host.split(".")[0]);
    return first === 0 || first >= 224 ? undefined : host;
  },
};

export const port: ValueKind<number> = { expected: "a port number (1-65535)", read: parsePort };

export interface PortRange {
  readonly first: number;
  /** Inclusive, not below `first`. */
  readonly last: number;
}

export const portRange: ValueKind<PortRange> = {
  expected: "a range of ports (42070-42099)",
  read(text) {
    const [first, last, ...rest] = text.split("-").map((part) => parsePort(part.trim()));
    if (first === undefined || last === undefined || rest.length > 0 || first > last) return undefined;
    return { first, last };
  },
};

/** Parted by commas, white space around them is ignored, doubles are dropped; "" is the empty list. */
export const peerList: ValueKind<readonly PeerAddress[]> = {
  expected: "an IPv4 address and port (10.1.1.1:42083)",
  read(text) {
    const addresses = new Map<string, PeerAddress>();
    for (const part of parts(text)) {
      const address = parseAddress(part);
      if (address === undefined || hostAddress.read(address.host) === undefined) return undefined;
      addresses.set(addressKey(address), address);
    }
    return addresses.size > MAX_FLAG_PEERS ? undefined : [...addresses.values()];
  },
  culprit(text) {
    const wrong = parts(text).find((part) => peerList.read(part) === undefined);
    return wrong ?? `${parts(text).length} addresses (at most ${MAX_FLAG_PEERS})`;
  },
};

/** Parted by commas, doubles are dropped; "" is the empty list. */
export const networkList: ValueKind<readonly string[]> = {
  expected: `an IPv4 network with ${SHORTEST_PREFIX} to 32 bits (192.0.2.0/24)`,
  read(text) {
    const networks = new Set(parts(text));
    const areGood = [...networks].every((cidr) => isHostNetwork(cidr));
    return areGood && networks.size <= MAX_ALLOWED_NETWORKS ? [...networks] : undefined;
  },
  culprit(text) {
    const wrong = parts(text).find((part) => networkList.read(part) === undefined);
    return wrong ?? `${parts(text).length} networks (at most ${MAX_ALLOWED_NETWORKS})`;
  },
};

/** Its addresses can be those of other machines. */
function isHostNetwork(cidr: string): boolean {
  const network = parseSubnet(cidr);
  const [host = "", prefix = ""] = cidr.split("/");
  if (network === undefined || Number(prefix) < SHORTEST_PREFIX) return false;
  return hostAddress.read(host) !== undefined && !host.startsWith("127.");
}

function parts(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
