// IPv4 networks as ranges of addresses. Knows nothing of who may use one.
import { ipv4ToNumber, parseIpv4 } from "../format/peer-address.ts";

export interface Subnet {
  readonly first: number;
  readonly last: number;
}

/** The network of `host` with a prefix of so many bits. */
export function subnet(host: string, prefix: number): Subnet {
  const size = 2 ** (32 - prefix);
  const first = Math.floor(ipv4ToNumber(host) / size) * size;
  return { first, last: first + size - 1 };
}

export function contains(network: Subnet, address: number): boolean {
  return address >= network.first && address <= network.last;
}

/** "10.1.1.5/24", whichever bits of the host are set. @returns undefined for IPv6 and anything else. */
export function parseSubnet(cidr: string): Subnet | undefined {
  const [address = "", prefix = "", ...rest] = cidr.split("/");
  const host = parseIpv4(address);
  if (host === undefined || rest.length > 0 || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32)
    return undefined;
  return subnet(host, Number(prefix));
}
