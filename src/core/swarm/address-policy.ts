// Which addresses may be dialled, queried and passed on: those of private networks, so that no host of the Internet is
// ever contacted and no swarm can be aimed at a third party. Knows no socket and no interface; subnets come in.
import { ipv4ToNumber, parseIpv4, type PeerAddress } from "../format/peer-address.ts";
import { SHORTEST_PREFIX } from "./limits.ts";
import { contains, parseSubnet, subnet, type Subnet } from "./subnet.ts";

/** Ports below are those of other services: a hostile address list must not make a fleet dial them. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** RFC 1918, RFC 6598 (CGNAT) and link local (RFC 3927). */
const privateNetworks = [
  subnet("10.0.0.0", 8),
  subnet("172.16.0.0", 12),
  subnet("192.168.0.0", 16),
  subnet("100.64.0.0", 10),
  subnet("169.254.0.0", 16),
];
const loopback = subnet("127.0.0.0", 8);
const thisNetwork = subnet("0.0.0.0", 8);
/** Multicast, reserved and the broadcast address: everything from here up. */
const FIRST_MULTICAST = ipv4ToNumber("224.0.0.0");

export class AddressPolicy {
  readonly #subnets: readonly Subnet[];
  readonly #allowed: readonly Subnet[];
  readonly #own: readonly PeerAddress[];
  readonly #isOnLoopback: boolean;

  /**
   * `subnets`: those of our own interfaces as "10.1.1.5/24"; IPv6 ones and others are skipped.
   * `allowed`: the networks of `--allow`, in the same form.
   * `own`: where this process listens; all of 127/8 is allowed when one of these is in it.
   */
  constructor(options: {
    readonly subnets: readonly string[];
    readonly allowed?: readonly string[];
    readonly own: readonly PeerAddress[];
  }) {
    this.#subnets = options.subnets.flatMap((cidr) => parseTrusted(cidr) ?? []);
    this.#allowed = (options.allowed ?? []).flatMap((cidr) => parseTrusted(cidr) ?? []);
    this.#own = options.own;
    this.#isOnLoopback = options.own.some((address) => contains(loopback, ipv4ToNumber(address.host)));
  }

  /** `pinned`: the user named it, by `--peers` or in a magnet; then any unicast address but our own will do. */
  allows(address: PeerAddress, pinned: boolean): boolean {
    if (parseIpv4(address.host) === undefined) return false;
    if (this.#own.some((own) => own.host === address.host && own.port === address.port)) return false;
    const value = ipv4ToNumber(address.host);
    if (value >= FIRST_MULTICAST || contains(thisNetwork, value) || this.#isBroadcast(value)) return false;
    if (pinned) return true;
    if (address.port < FIRST_UNPRIVILEGED_PORT) return false;
    if (contains(loopback, value)) return this.#isOnLoopback;
    return this.#isInside(value);
  }

  /** A host that only the user's word makes a peer: in no private network, nor in one of ours or of `--allow`. */
  isOutside(host: string): boolean {
    if (parseIpv4(host) === undefined) return false;
    const value = ipv4ToNumber(host);
    return !contains(loopback, value) && !this.#isInside(value);
  }

  #isInside(value: number): boolean {
    return [privateNetworks, this.#subnets, this.#allowed].some((networks) =>
      networks.some((network) => contains(network, value)),
    );
  }

  /** The first and last address of a subnet are no host's; in /31 and /32 they are (RFC 3021). */
  #isBroadcast(value: number): boolean {
    return this.#subnets.some(
      ({ first, last }) =>
        last - first > 1 && (value === first || value === last) && !contains(loopback, value),
    );
  }
}

function parseTrusted(cidr: string): Subnet | undefined {
  const network = parseSubnet(cidr);
  return network !== undefined && network.last - network.first < 2 ** (32 - SHORTEST_PREFIX)
    ? network
    : undefined;
}
