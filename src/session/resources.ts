// What all torrents of one run share: the state store, the hash workers, the network node once it is needed, and the
// progress that is shown. Opened once, closed once, in the right order.
import { AddressPolicy } from "../core/swarm/address-policy.ts";
import { availableParallelism } from "node:os";
import type { PeerAddress } from "../core/format/peer-address.ts";
import { MIN_SPANS_PER_FILE } from "./limits.ts";
import { HashPool } from "../hashing/hash-pool.ts";
import { openStateStore } from "../storage/open-store.ts";
import type { StateStore } from "../storage/state-store.ts";
import type { Clock } from "../lib/clock.ts";
import { systemClock, wallMs } from "./clock.ts";
import type { SessionContext } from "./context.ts";
import type { NodeStart } from "./network/node.ts";
import { type SessionNode, startSessionNode } from "./network/session-node.ts";
import type { NodeOptions } from "./options.ts";
import { ProgressReporter } from "./report/progress-reporter.ts";

/** What resources are made of; tests bring their own. */
export interface ResourceParts {
  readonly store: StateStore;
  readonly pool: Pick<HashPool, "prepare" | "hashRange" | "hashPiece" | "storePiece" | "close">;
  readonly clock: Clock;
  readonly startNode: (start: NodeStart) => Promise<SessionNode>;
}

/** How a session comes to its resources. */
export type OpenResources = (options: NodeOptions, context: SessionContext, fileCount: number) => Resources;

export const openResources: OpenResources = (options, context, fileCount) =>
  new Resources(options, context, fileCount);

export class Resources {
  readonly context: SessionContext;
  readonly options: NodeOptions;
  readonly store: ResourceParts["store"];
  readonly pool: ResourceParts["pool"];
  readonly clock: Clock;
  readonly progress: ProgressReporter;
  readonly #fileCount: number;
  readonly #startNode: ResourceParts["startNode"];
  #node: Promise<SessionNode> | undefined;

  /** `fileCount`: how many files share the memory for buffers. `parts`: the real ones when not given. */
  constructor(
    options: NodeOptions,
    context: SessionContext,
    fileCount: number,
    parts: ResourceParts = realParts(context),
  ) {
    this.#fileCount = Math.max(1, fileCount);
    this.options = options;
    this.context = context;
    this.store = parts.store;
    this.pool = parts.pool;
    this.clock = parts.clock;
    this.#startNode = parts.startNode;
    this.progress = new ProgressReporter(context.emit, parts.clock);
  }

  /** Since the process began. */
  get elapsedMs(): number {
    return Math.round(this.clock.now());
  }

  /** One file's part of a bound that holds for the process. */
  shareOf(spans: number): number {
    return Math.max(MIN_SPANS_PER_FILE, Math.floor(spans / this.#fileCount));
  }

  /**
   * The node, started by the first call: later ones get the same node, whatever their `keptPort`.
   * @throws UsageError when no port can be had, at every call.
   */
  node(keptPort: number | undefined, bootstrap: readonly PeerAddress[]): Promise<SessionNode> {
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

  async #start(keptPort: number | undefined, bootstrap: readonly PeerAddress[]): Promise<SessionNode> {
    const { logger, emit } = this.context;
    const node = await this.#startNode({
      options: this.options,
      keptPort,
      bootstrap: [...this.options.peers, ...bootstrap],
      logger,
    });
    const { host, port } = node.address;
    const allInterfaces = this.options.ip === undefined;
    if (allInterfaces && host.startsWith("127.")) {
      logger.warn(
        `no network: ${host} is the only address of this machine, and no other can reach it; give --ip when there is a better one`,
      );
    } else if (allInterfaces && !privateOnly.allows({ host, port: ANY_PORT }, false)) {
      logger.warn(
        `${host} is a public address, and port ${port} is open on every interface; give --ip to bind and announce another one`,
      );
    }
    emit({ type: "listening", host, port, allInterfaces });
    return node;
  }
}

const privateOnly = new AddressPolicy({ subnets: [], own: [] });
/** The policy leaves out the ports of system services. */
const ANY_PORT = 65_535;

function realParts(context: SessionContext): ResourceParts {
  return {
    store: openStateStore(context.workingDirectory, { logger: context.logger, wallMs }),
    pool: new HashPool({ workers: availableParallelism(), io: context.io }),
    clock: systemClock,
    startNode: startSessionNode,
  };
}
