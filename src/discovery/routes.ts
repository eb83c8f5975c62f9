// Reads /proc/net/route, the kernel's IPv4 routing table as text. Pure: the text comes in.

const DESTINATION = 1;
const FLAGS = 3;
const METRIC = 6;
const MASK = 7;
const ROUTE_IS_UP = 1;
const ROUTE_IS_REJECT = 0x200;

/** @returns the interface of the default route with the lowest metric, or undefined when there is no such route. */
export function defaultRouteInterface(routeTable: string): string | undefined {
  let best: { readonly name: string; readonly metric: number } | undefined;
  for (const line of routeTable.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [name = ""] = fields;
    const flags = Number.parseInt(fields[FLAGS] ?? "", 16);
    const metric = Number(fields[METRIC]);
    const isDefault = fields[DESTINATION] === "00000000" && fields[MASK] === "00000000";
    if (!isDefault || (flags & ROUTE_IS_UP) === 0 || (flags & ROUTE_IS_REJECT) !== 0) continue;
    if (Number.isInteger(metric) && (best === undefined || metric < best.metric)) best = { name, metric };
  }
  return best?.name;
}
