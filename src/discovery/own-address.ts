// Chooses the address of this machine that is advertised, and lists the subnets of all its interfaces. The choice is pure; only
// `findOwnAddress` reads the system. Binds nothing.
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { AddressPolicy } from "../core/swarm/address-policy.ts";
import { contains, parseSubnet } from "../core/swarm/subnet.ts";
import { ipv4ToNumber, parseIpv4, type PeerAddress } from "../core/format/peer-address.ts";
import { UsageError } from "../lib/errors.ts";
import { defaultRouteInterface, localAddresses, routeInterface } from "./routes.ts";

/** One IPv4 address of one interface. */
export interface InterfaceAddress {
  readonly interface: string;
  readonly host: string;
  /** "10.1.1.5/24". */
  readonly cidr: string;
  readonly isLoopback: boolean;
}

/** What the system says of its addresses. */
export interface SystemAddresses {
  /** Of interfaces whose link is up. */
  readonly addresses: readonly InterfaceAddress[];
  /** The text of /proc/net/route; empty without /proc, as in some containers: then no route decides. */
  readonly routeTable: string;
  /** The text of /proc/net/fib_trie. */
  readonly fibTrie: string;
}

export interface OwnAddress {
  /** To be advertised. */
  readonly host: string;
  /** Of all our interfaces, as "10.1.1.5/24". */
  readonly subnets: readonly string[];
  /** What is probably not meant, in one line. */
  readonly warning: string | undefined;
}

const LOOPBACK_HOST = "127.0.0.1";
const privateOnly = new AddressPolicy({ subnets: [], own: [] });
/** Networks that container engines and hypervisors make inside of one machine. */
const MACHINE_INTERNAL = /^(?:docker|br-|virbr|veth|cni|cali|flannel|lxc|lxdbr|podman)/;

/**
 * @param ip the value of --ip, if given
 * @param peers that are to be reached, from --peers and magnets
 * @throws UsageError when `ip` is not ours, or when there are several candidates and neither a default route nor a peer decides
 */
export function findOwnAddress(ip: string | undefined, peers: readonly PeerAddress[]): OwnAddress {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, entries]) =>
    (entries ?? []).flatMap((entry) =>
      entry.family === "IPv4"
        ? [
            {
              interface: name,
              host: entry.address,
              cidr: entry.cidr ?? `${entry.address}/32`,
              isLoopback: entry.internal,
            },
          ]
        : [],
    ),
  );
  const routeTable = readText("/proc/net/route");
  const fibTrie = ip === undefined ? "" : readText("/proc/net/fib_trie");
  return chooseOwnAddress(ip, { addresses, routeTable, fibTrie }, peers);
}

/** As `findOwnAddress`, from what the system says. @throws UsageError */
export function chooseOwnAddress(
  ip: string | undefined,
  system: SystemAddresses,
  peers: readonly PeerAddress[],
): OwnAddress {
  const { addresses, routeTable } = system;
  const subnets = addresses.map(({ cidr }) => cidr);
  if (ip !== undefined) return { host: checkOwn(ip, system), subnets, warning: undefined };
  const outside = addresses.filter(({ isLoopback }) => !isLoopback);
  const towards = towardsPeers(outside, routeTable, peers);
  if (towards !== undefined) return { host: towards.host, subnets, warning: undefined };
  const routed = defaultRouteInterface(routeTable);
  const onRoute = outside.find((address) => address.interface === routed);
  if (onRoute !== undefined) return { host: onRoute.host, subnets, warning: publicWarning(onRoute, outside) };

  const internal = outside.filter(isPrivate);
  const candidates = internal.length > 0 ? internal : outside;
  if (candidates.length > 1) {
    throw new UsageError(
      `this machine has no default route and several addresses (${describe(candidates)}); choose one with --ip`,
    );
  }
  return { host: candidates[0]?.host ?? LOOPBACK_HOST, subnets, warning: undefined };
}

/** Our address on the network that leads to a peer, the first that has a route of its own. */
function towardsPeers(
  outside: readonly InterfaceAddress[],
  routeTable: string,
  peers: readonly PeerAddress[],
): InterfaceAddress | undefined {
  for (const peer of peers) {
    const address = ipv4ToNumber(peer.host);
    const holds = ({ cidr }: InterfaceAddress): boolean => {
      const network = parseSubnet(cidr);
      return network !== undefined && contains(network, address);
    };
    const name = routeInterface(routeTable, address);
    const onRoute = outside.filter((own) => own.interface === name);
    const found = onRoute.find(holds) ?? onRoute[0] ?? (name === undefined ? outside.find(holds) : undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

function publicWarning(chosen: InterfaceAddress, outside: readonly InterfaceAddress[]): string | undefined {
  if (isPrivate(chosen)) return undefined;
  const choices = outside.filter((own) => isPrivate(own) && !MACHINE_INTERNAL.test(own.interface));
  if (choices.length === 0) return undefined;
  return (
    `the default route leads to the public address ${chosen.host} on ${chosen.interface}, which is announced; ` +
    `for the private network give --ip with ${describe(choices)}`
  );
}

function isPrivate({ host }: InterfaceAddress): boolean {
  return privateOnly.allows({ host, port: 65535 }, false);
}

/** Every address of 127/8 is this machine's, though its interface names one alone. */
function checkOwn(ip: string, { addresses, fibTrie }: SystemAddresses): string {
  const host = parseIpv4(ip);
  if (host === undefined)
    throw new UsageError(`--ip ${ip} is not an IPv4 address; give one such as 10.1.1.1`);
  if (host.startsWith("127.") || addresses.some((address) => address.host === host)) return host;
  // An interface whose link is down is not listed, and its address can be bound all the same.
  if (localAddresses(fibTrie).has(host)) return host;
  throw new UsageError(`--ip ${ip} is not an address of this machine; it has ${describe(addresses)}`);
}

function describe(addresses: readonly InterfaceAddress[]): string {
  return addresses.map((address) => `${address.host} on ${address.interface}`).join(", ");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
