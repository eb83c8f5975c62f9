// Chooses the address of this machine that is advertised, and lists the subnets of all its interfaces. The choice is pure; only
// `findOwnAddress` reads the system. Binds nothing.
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { AddressPolicy } from "../core/swarm/address-policy.ts";
import { parseIpv4 } from "../core/format/peer-address.ts";
import { UsageError } from "../lib/errors.ts";
import { defaultRouteInterface } from "./routes.ts";

/** One IPv4 address of one interface. */
export interface InterfaceAddress {
  readonly interface: string;
  readonly host: string;
  /** "10.1.1.5/24". */
  readonly cidr: string;
  readonly isLoopback: boolean;
}

export interface OwnAddress {
  /** To be advertised. */
  readonly host: string;
  /** Of all our interfaces, as "10.1.1.5/24". */
  readonly subnets: readonly string[];
}

const ROUTE_TABLE_PATH = "/proc/net/route";
const LOOPBACK_HOST = "127.0.0.1";
const privateOnly = new AddressPolicy({ subnets: [], own: [] });

/**
 * @param ip the value of --ip, if given
 * @throws UsageError when `ip` is not ours, or when there are several candidates and no default route
 */
export function findOwnAddress(ip: string | undefined): OwnAddress {
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
  return chooseOwnAddress(ip, readRouteTable(), addresses);
}

/** As `findOwnAddress`, from the text of the routing table and the addresses of the interfaces. @throws UsageError */
export function chooseOwnAddress(
  ip: string | undefined,
  routeTable: string,
  addresses: readonly InterfaceAddress[],
): OwnAddress {
  const subnets = addresses.map(({ cidr }) => cidr);
  if (ip !== undefined) return { host: checkOwn(ip, addresses), subnets };
  const outside = addresses.filter(({ isLoopback }) => !isLoopback);
  const routed = defaultRouteInterface(routeTable);
  const onRoute = outside.find((address) => address.interface === routed);
  if (onRoute !== undefined) return { host: onRoute.host, subnets };

  const internal = outside.filter(({ host }) => privateOnly.allows({ host, port: 65535 }, false));
  const candidates = internal.length > 0 ? internal : outside;
  if (candidates.length > 1) {
    throw new UsageError(
      `this machine has no default route and several addresses (${describe(candidates)}); choose one with --ip`,
    );
  }
  return { host: candidates[0]?.host ?? LOOPBACK_HOST, subnets };
}

/** Every address of 127/8 is this machine's, though its interface names one alone. */
function checkOwn(ip: string, addresses: readonly InterfaceAddress[]): string {
  const host = parseIpv4(ip);
  if (host === undefined)
    throw new UsageError(`--ip ${ip} is not an IPv4 address; give one such as 10.1.1.1`);
  if (host.startsWith("127.") || addresses.some((address) => address.host === host)) return host;
  throw new UsageError(`--ip ${ip} is not an address of this machine; it has ${describe(addresses)}`);
}

function describe(addresses: readonly InterfaceAddress[]): string {
  return addresses.map((address) => `${address.host} on ${address.interface}`).join(", ");
}

/** Empty without /proc, as in some containers: then no route decides. */
function readRouteTable(): string {
  try {
    return readFileSync(ROUTE_TABLE_PATH, "utf8");
  } catch {
    return "";
  }
}
