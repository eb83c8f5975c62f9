// Peers whose addresses are private by no rule: they are served, and told to no other peer, so that each of them fetches its
// whole copy from the machines that the user named. That is said once.
import type { AddressPolicy } from "../../core/swarm/address-policy.ts";
import type { Logger } from "../../lib/logger.ts";

export class OutsideAddresses {
  readonly #policy: Pick<AddressPolicy, "isOutside">;
  readonly #logger: Pick<Logger, "warn">;
  #isSaid = false;

  constructor(policy: Pick<AddressPolicy, "isOutside">, logger: Pick<Logger, "warn">) {
    this.#policy = policy;
    this.#logger = logger;
  }

  /** The user named this host, or a TCP connection for one of our torrents came from it. */
  saw(host: string): void {
    if (this.#isSaid || !this.#policy.isOutside(host)) return;
    this.#isSaid = true;
    const network = `${host.slice(0, host.lastIndexOf("."))}.0/24`;
    this.#logger.warn(
      `${host} is not in a private network: peers there are not told of one another and share nothing; ` +
        `if it is one of yours give --allow with its network (${network}) on every machine`,
    );
  }
}
