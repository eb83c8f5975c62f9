// Finds the address to advertise and a port that is free for TCP and UDP alike, and opens both on it.
import { AddressPolicy } from "../../core/swarm/address-policy.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import { Dht } from "../../discovery/dht.ts";
import { DatagramBindError } from "../../discovery/guarded-socket.ts";
import type { ReportChannel } from "../../discovery/report-channel.ts";
import { findOwnAddress } from "../../discovery/own-address.ts";
import type { Logger } from "../../lib/logger.ts";
import type { OnBug, TcpConnection } from "../../net/tcp-connection.ts";
import { AddressTakenError, listen, type TcpListener } from "../../net/tcp-listener.ts";
import { chance, systemClock } from "../clock.ts";
import type { NodeOptions } from "../options.ts";
import { DhtSource } from "./dht-source.ts";
import { OutsideAddresses } from "./outside-addresses.ts";
import type { PeerSource } from "./peer-source.ts";
import { noPortError, portsToTry } from "./port-choice.ts";

export interface OpenPortOptions {
  readonly options: NodeOptions;
  readonly keptPort: number | undefined;
  readonly bootstrap: readonly PeerAddress[];
  readonly logger: Logger;
  readonly onConnection: (connection: TcpConnection) => void;
  readonly onBug: OnBug;
}

export interface OpenPort {
  /** What we advertise. */
  readonly address: PeerAddress;
  /** "0.0.0.0" unless `--ip` was given. */
  readonly bindHost: string;
  /** Which addresses may be contacted, given the subnets of this machine's interfaces. */
  readonly policy: AddressPolicy;
  /** A peer at this host was admitted to one of our torrents. */
  readonly onAdmitted: (host: string) => void;
  readonly listener: TcpListener;
  readonly sources: readonly PeerSource[];
  readonly reports: ReportChannel;
}

/** @throws UsageError when the address is not one of this machine or no wished port is free. */
export async function openPort(options: OpenPortOptions): Promise<OpenPort> {
  const { logger, bootstrap } = options;
  const own = findOwnAddress(options.options.ip, bootstrap);
  if (own.warning !== undefined) logger.warn(own.warning);
  const bindHost = options.options.ip ?? "0.0.0.0";
  const wish = { fixed: options.options.port ?? options.keptPort, range: options.options.portRange };
  let lastError: unknown;
  for (const port of portsToTry(wish, chance)) {
    try {
      const address = { host: own.host, port };
      const policy = new AddressPolicy({
        subnets: own.subnets,
        allowed: options.options.allow,
        own: [address],
      });
      const opened = await openBoth(bindHost, address, policy, options);
      const outside = new OutsideAddresses(policy, logger);
      for (const { host } of bootstrap) outside.saw(host);
      return { ...opened, bindHost, address, policy, onAdmitted: (host) => outside.saw(host) };
    } catch (error) {
      if (!isTaken(error)) throw error;
      lastError = error;
    }
  }
  throw noPortError(wish, lastError);
}

async function openBoth(
  bindHost: string,
  address: PeerAddress,
  policy: AddressPolicy,
  options: OpenPortOptions,
): Promise<Pick<OpenPort, "listener" | "sources" | "reports">> {
  const { host, port } = address;
  const listener = listen({ host: bindHost, port, onConnection: options.onConnection, onBug: options.onBug });
  const dht = new Dht({
    host: bindHost,
    port,
    advertisedHost: host,
    bootstrap: options.bootstrap,
    accepts: (node) => policy.allows(node, false),
    logger: options.logger,
    clock: systemClock,
  });
  try {
    await dht.start();
    return { listener, sources: [new DhtSource(dht)], reports: dht.reports };
  } catch (error) {
    listener.close();
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return (
    error instanceof AddressTakenError || (error instanceof DatagramBindError && error.code === "EADDRINUSE")
  );
}
