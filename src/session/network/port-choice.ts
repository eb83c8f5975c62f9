// Which port to listen on: the given one, the remembered one, or a random one of the range, each tried once.
import { present } from "../../lib/assert.ts";
import { UsageError } from "../../lib/errors.ts";

export interface PortWish {
  /** `--port`, the port of `--magnet`, or the port under which the file was served last. */
  readonly fixed: number | undefined;
  readonly range: { readonly first: number; readonly last: number };
}

/** The ports to try, in order: random, so that processes started together seldom try the same. */
export function portsToTry(wish: PortWish, random: () => number): number[] {
  if (wish.fixed !== undefined) return [wish.fixed];
  const ports = Array.from(
    { length: wish.range.last - wish.range.first + 1 },
    (_, i) => wish.range.first + i,
  );
  for (let i = ports.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [ports[i], ports[j]] = [present(ports[j]), present(ports[i])];
  }
  return ports;
}

/** The error for the user when none of them is free. */
export function noPortError(wish: PortWish, cause: unknown): UsageError {
  return wish.fixed === undefined
    ? new UsageError(
        `every port from ${wish.range.first} to ${wish.range.last} is in use: stop a p2pfile process or give a wider --port-range`,
        { cause },
      )
    : new UsageError(
        `port ${wish.fixed} is in use: stop the process that has it, or choose another with --port (magnets printed for ${wish.fixed} then need a second address)`,
        { cause },
      );
}
