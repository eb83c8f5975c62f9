// Hosts of their own on one machine: a network namespace for each, all on one bridge, and both ends of each link shaped by
// a token bucket filter. Nothing of it can be seen from the machine's own network. Knows no program that runs there.
import { inNamespace, type NetNamespaces, run } from "./net-namespace.ts";

export interface ShapedHost {
  /** 0 is the first. */
  readonly index: number;
  readonly address: string;
  readonly namespace: string;
  /** Bits per second each way; undefined: as fast as the machine. */
  readonly rate: number | undefined;
  /** The command that runs `command` on this host, under the process id it is started with. */
  readonly on: (command: readonly string[]) => string[];
}

export interface LinkCounters {
  /** Bytes that left the host since it exists, with all headers. */
  readonly sent: number;
  /** Packets that the shaper threw away, in both directions of the link. */
  readonly dropped: number;
}

/** The link of every host, as it sees it; a namespace has names of its own. */
const LINK = "eth0";
const BRIDGE = "br0";
const PREFIX_LENGTH = 16;
/** Of the /16 in use: hosts are numbered from .0.1, and the bridge has the last. */
const MAX_HOSTS = 250;

/**
 * A segment of 64 KiB that TCP hands down in one piece is cut by a smaller bucket, which costs CPU time. Its headers count:
 * 45 packets of 66 bytes more than it.
 */
const MIN_BURST = 72 * 1024;
/** What a link may send at once after a pause: 4 ms of its rate, so that a timer of a kernel with 250 Hz suffices. */
const BURST_SECONDS = 1 / 250;
/** The queue before the link, in time: what a switch has for a port, and what TCP fills. */
const QUEUE_MS = 50;

/** A network that carries nothing yet. Its hosts are never removed but with `namespaces`. */
export class ShapedNetwork {
  readonly #namespaces: NetNamespaces;
  readonly #bridge: string;
  readonly #hosts: ShapedHost[] = [];

  /** Also a place where something can run that is no host of its own: its link has no limit. */
  readonly hub: ShapedHost;

  constructor(namespaces: NetNamespaces) {
    this.#namespaces = namespaces;
    this.#bridge = namespaces.create("hub");
    run(["ip", "-n", this.#bridge, "link", "add", BRIDGE, "type", "bridge", "stp_state", "0"]);
    run(["ip", "-n", this.#bridge, "link", "set", BRIDGE, "up"]);
    const address = "10.77.255.254";
    run(["ip", "-n", this.#bridge, "address", "add", `${address}/${PREFIX_LENGTH}`, "dev", BRIDGE]);
    this.hub = {
      index: -1,
      address,
      namespace: this.#bridge,
      rate: undefined,
      on: (c) => this.#on(this.hub, c),
    };
  }

  get hosts(): readonly ShapedHost[] {
    return this.#hosts;
  }

  /** `rate` is in bits per second, both ways each; undefined for a link that is as fast as the machine. */
  addHost(rate: number | undefined): ShapedHost {
    const index = this.#hosts.length;
    if (index >= MAX_HOSTS) throw new RangeError(`more than ${MAX_HOSTS} hosts`);
    const namespace = this.#namespaces.create(`h${index}`);
    const port = portOf(index);
    const veth = ["link", "add", port, "type", "veth", "peer", "name", LINK, "netns", namespace];
    run(["ip", "-n", this.#bridge, ...veth]);
    run(["ip", "-n", this.#bridge, "link", "set", port, "master", BRIDGE, "up"]);
    const address = `10.77.0.${index + 1}`;
    run(["ip", "-n", namespace, "address", "add", `${address}/${PREFIX_LENGTH}`, "dev", LINK]);
    run(["ip", "-n", namespace, "link", "set", LINK, "up"]);
    if (rate !== undefined) {
      shape(namespace, LINK, rate);
      shape(this.#bridge, port, rate);
    }
    const host: ShapedHost = { index, address, namespace, rate, on: (command) => this.#on(host, command) };
    this.#hosts.push(host);
    return host;
  }

  counters(host: ShapedHost): LinkCounters {
    const link = qdiscOf(host.namespace, LINK);
    const port = qdiscOf(this.#bridge, portOf(host.index));
    const sent = host.rate === undefined ? sentBy(host.namespace, LINK) : link.bytes;
    return { sent, dropped: link.drops + port.drops };
  }

  #on(host: ShapedHost, command: readonly string[]): string[] {
    return inNamespace(host.namespace, command);
  }
}

/** Bytes. */
export function burstOf(rate: number): number {
  return Math.max(MIN_BURST, Math.ceil((rate / 8) * BURST_SECONDS));
}

function portOf(index: number): string {
  return `h${index}`;
}

function shape(namespace: string, device: string, rate: number): void {
  const limits = ["rate", `${Math.round(rate)}bit`, "burst", `${burstOf(rate)}b`, "latency", `${QUEUE_MS}ms`];
  run(["tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "tbf", ...limits]);
}

interface Qdisc {
  readonly bytes: number;
  readonly drops: number;
}

/** The shaper counts each packet with its own headers, also of a segment that TCP handed down in one piece. */
function qdiscOf(namespace: string, device: string): Qdisc {
  const text = run(["tc", "-n", namespace, "-s", "-j", "qdisc", "show", "dev", device]);
  // Printed by tc: a list with one object for each queue of the device.
  const [first] = JSON.parse(text) as Partial<Qdisc>[];
  return { bytes: first?.bytes ?? 0, drops: first?.drops ?? 0 };
}

function sentBy(namespace: string, device: string): number {
  const text = run(["ip", "-n", namespace, "-s", "-j", "link", "show", "dev", device]);
  // Printed by ip.
  const [first] = JSON.parse(text) as { readonly stats64?: { readonly tx?: { readonly bytes?: number } } }[];
  return first?.stats64?.tx?.bytes ?? 0;
}
