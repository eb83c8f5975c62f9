// Reads what the kernel says of addresses and routes: /proc/net/route, its IPv4 routing table, and /proc/net/fib_trie, which
// lists the addresses of this machine whatever their links do. Pure: the texts come in.
import { contains, type Subnet } from "../core/swarm/subnet.ts";

const DESTINATION = 1;
const FLAGS = 3;
const METRIC = 6;
const MASK = 7;
const ROUTE_IS_UP = 1;
const ROUTE_IS_REJECT = 0x200;

interface Route {
  readonly interface: string;
  readonly network: Subnet;
  readonly metric: number;
}

/** @returns the interface of the default route with the lowest metric, or undefined when there is no such route. */
export function defaultRouteInterface(routeTable: string): string | undefined {
  return best(routesOf(routeTable).filter((route) => sizeOf(route) === 2 ** 32))?.interface;
}

/** @returns the interface that leads to `address` by a route of its own network, the narrowest; never the default route. */
export function routeInterface(routeTable: string, address: number): string | undefined {
  const leading = routesOf(routeTable).filter(
    (route) => sizeOf(route) < 2 ** 32 && contains(route.network, address),
  );
  const narrowest = Math.min(...leading.map(sizeOf));
  return best(leading.filter((route) => sizeOf(route) === narrowest))?.interface;
}

/** The addresses of this machine in the kernel's table of local ones. */
export function localAddresses(fibTrie: string): ReadonlySet<string> {
  const entries = fibTrie.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n\s*\/32 host LOCAL\b/g);
  return new Set(Array.from(entries, ([, host = ""]) => host));
}

function sizeOf({ network }: Route): number {
  return network.last - network.first + 1;
}

/** That of the lowest metric; of equal ones the first. */
function best(routes: readonly Route[]): Route | undefined {
  return routes.toSorted((a, b) => a.metric - b.metric)[0];
}

function routesOf(routeTable: string): Route[] {
  return routeTable
    .split("\n")
    .slice(1)
    .flatMap((line) => routeOf(line.trim().split(/\s+/)) ?? []);
}

function routeOf(fields: readonly string[]): Route | undefined {
  const [name = ""] = fields;
  const flags = Number.parseInt(fields[FLAGS] ?? "", 16);
  const metric = Number(fields[METRIC]);
  const first = addressOf(fields[DESTINATION]);
  const mask = addressOf(fields[MASK]);
  const isUsable = (flags & ROUTE_IS_UP) !== 0 && (flags & ROUTE_IS_REJECT) === 0;
  if (!isUsable || !Number.isInteger(metric) || first === undefined || mask === undefined) return undefined;
  return { interface: name, network: { first, last: first + (2 ** 32 - 1 - mask) }, metric };
}

/** The kernel prints the four bytes as one number of the machine, whose lowest byte comes first: 0004E0A8 is 168.224.4.0. */
function addressOf(field: string | undefined): number | undefined {
  if (field === undefined || !/^[0-9A-F]{8}$/i.test(field)) return undefined;
  return [6, 4, 2, 0].reduce((value, at) => value * 256 + Number.parseInt(field.slice(at, at + 2), 16), 0);
}
