// Real DHT nodes on loopback addresses, for tests.
import { type InfoHash, infoHashOf } from "../../src/core/torrent/ids.ts";
import { DHT_K } from "../../src/discovery/limits.ts";
import { addressKey, type PeerAddress } from "../../src/core/format/peer-address.ts";
import { Dht, type DhtOptions } from "../../src/discovery/dht.ts";
import { silentLogger } from "../helpers/silent-logger.ts";
import { systemClock } from "../../src/session/clock.ts";
import { sha1 } from "../../src/lib/sha1.ts";
import { RawUdp } from "./krpc.ts";

export const infoHash: InfoHash = infoHashOf(sha1(new TextEncoder().encode("model.bin")));
const unknownHash: InfoHash = infoHashOf(sha1(new TextEncoder().encode("no such file")));
/** A loopback port where no process listens. */
export const DEAD_PORT = 9;

/** The address of a node that is bound to `host`. */
export const at = (host: string, dht: Dht): PeerAddress => ({ host, port: dht.port });

/** Opens nodes and raw sockets and closes what is left of them. */
export class DhtNetwork {
  readonly #closers: (() => unknown)[] = [];

  async node(
    host: string,
    bootstrap: readonly PeerAddress[] = [],
    options: Partial<DhtOptions> = {},
  ): Promise<Dht> {
    const accepts = (address: PeerAddress) => address.host.startsWith("127.");
    const dht = new Dht({
      host,
      port: 0,
      advertisedHost: host,
      bootstrap,
      accepts,
      logger: silentLogger,
      clock: systemClock,
      ...options,
    });
    await dht.start();
    this.#closers.push(() => dht.close());
    return dht;
  }

  async raw(host: string, port = 0): Promise<RawUdp> {
    const raw = await RawUdp.open(host, port);
    this.#closers.push(() => raw.close());
    return raw;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}

/** The nodes walk until each knows all others: nodes that query the same one at the same moment know it alone. */
export async function acquaint(nodes: readonly Dht[]): Promise<void> {
  const end = performance.now() + 2000;
  // One bucket holds no more, and all others may belong into one.
  const enough = Math.min(nodes.length - 1, DHT_K);
  while (nodes.some((node) => node.nodeCount < enough)) {
    if (performance.now() > end)
      throw new Error(`after 2 s they know ${nodes.map((node) => node.nodeCount).join()} others`);
    // An info hash without peers: with peers a reply names the nearest nodes only.
    for (const node of nodes) await found(node, unknownHash);
    // Slower than the rate limit of a source.
    await Bun.sleep(50);
  }
}

/** All that one lookup finds, as sorted "host:port". */
export async function found(dht: Dht, hash: InfoHash = infoHash): Promise<string[]> {
  const peers: string[] = [];
  await dht.lookup(hash, (address) => {
    const key = addressKey(address);
    if (!peers.includes(key)) peers.push(key);
  });
  return peers.sort();
}

export async function elapsed(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work;
  return performance.now() - start;
}
