// What all torrents of one run share: the state store, the hash workers, the network node once it is needed, and the
// progress that is shown. Opened once, closed once, in the right order.
import { availableParallelism } from "node:os";
import type { PeerAddress } from "../core/format/peer-address.ts";
import { MIN_SPANS_PER_FILE } from "./limits.ts";
import { HashPool } from "../hashing/hash-pool.ts";
import { openStateStore } from "../storage/open-store.ts";
import type { StateStore } from "../storage/state-store.ts";
import { monotonicMs } from "./clock.ts";
import type { SessionContext } from "./context.ts";
import { Node } from "./network/node.ts";
import type { NodeOptions } from "./options.ts";
import { ProgressReporter } from "./report/progress-reporter.ts";

export class Resources {
  readonly context: SessionContext;
  readonly options: NodeOptions;
  readonly store: StateStore;
  readonly pool: HashPool;
  readonly progress: ProgressReporter;
  #node: Promise<Node> | undefined;

  readonly #fileCount: number;

  /** `fileCount`: how many files share the memory for buffers. */
  constructor(options: NodeOptions, context: SessionContext, fileCount: number) {
    this.#fileCount = Math.max(1, fileCount);
    this.options = options;
    this.context = context;
    this.store = openStateStore(context.workingDirectory, context.logger);
    this.pool = new HashPool({ workers: availableParallelism(), io: context.io });
    this.progress = new ProgressReporter(context.emit);
  }

  /** Since the process began. */
  get elapsedMs(): number {
    return Math.round(monotonicMs());
  }

  /** One file's part of a bound that holds for the process. */
  shareOf(spans: number): number {
    return Math.max(MIN_SPANS_PER_FILE, Math.floor(spans / this.#fileCount));
  }

  /**
   * The node, started by the first who asks: `keptPort` counts for that one alone.
   * @throws UsageError when no port can be had, to everybody who asks.
   */
  node(keptPort: number | undefined, bootstrap: readonly PeerAddress[]): Promise<Node> {
    this.#node ??= this.#start(keptPort, bootstrap);
    return this.#node;
  }

  /** Ends the network first, so that nothing arrives for files that are being closed. */
  async closeNetwork(): Promise<void> {
    const node = await this.#node?.catch(() => undefined);
    await node?.close();
  }

  async close(): Promise<void> {
    this.progress.stop();
    await this.closeNetwork();
    await this.pool.close();
    this.store.close();
  }

  async #start(keptPort: number | undefined, bootstrap: readonly PeerAddress[]): Promise<Node> {
    const { logger, emit } = this.context;
    const node = await Node.start({
      options: this.options,
      keptPort,
      bootstrap: [...this.options.peers, ...bootstrap],
      logger,
    });
    if (node.address.host.startsWith("127.") && this.options.ip === undefined) {
      logger.warn(
        `no network: ${node.address.host} is the only address of this machine, and no other can reach it; give --ip when there is a better one`,
      );
    }
    emit({ type: "listening", host: node.address.host, port: node.address.port });
    return node;
  }
}
