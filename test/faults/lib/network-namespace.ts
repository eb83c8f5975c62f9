// A network namespace whose only link is loopback: packets can be lost or delayed in it without any effect on other processes.
import type { TestFixture } from "../../helpers/test-directory.ts";
import { mustWork, needs, needsRoot } from "./programs.ts";

/** Every incoming packet passes this chain. */
const CHAIN = "inet faults in";
/** Bytes of a packet, as on an Ethernet; with loopback's 64 KiB one lost packet would equal forty. */
const LINK = "mtu 1500 gso_max_segs 1 gso_max_size 1500";

export class NetworkNamespace {
  readonly #pid: number;

  private constructor(pid: number) {
    this.#pid = pid;
  }

  /** `fixture` ends it. @throws NotPossible */
  static async make(fixture: TestFixture): Promise<NetworkNamespace> {
    needs("unshare", "nsenter", "ip");
    needsRoot("a network namespace");
    const setUp = `ip link set lo up ${LINK}`;
    mustWork(["unshare", "--net", "sh", "-c", setUp], "a network namespace");
    const script = `${setUp} && echo ready && exec sleep infinity`;
    const holder = fixture.spawn(["unshare", "--net", "sh", "-c", script], { cwd: "/" });
    await holder.waitForLine("stdout", /^ready$/, 5_000);
    return new NetworkNamespace(holder.pid);
  }

  /** The command that runs `program` inside of the namespace. */
  readonly inside = (program: readonly string[]): string[] => [
    "nsenter",
    `--net=/proc/${this.#pid}/ns/net`,
    "--",
    ...program,
  ];

  /** Drops this share of all packets, from 0 to 1, at random. @throws NotPossible */
  lose(share: number): void {
    needs("nft");
    this.#nft("add table inet faults");
    this.#nft(`add chain ${CHAIN} { type filter hook input priority 0; }`);
    this.#nft(`flush chain ${CHAIN}`);
    const chance = share < 1 ? `numgen random mod 1000 < ${Math.round(share * 1000)}` : "";
    if (share > 0) this.#nft(`add rule ${CHAIN} ${chance} counter drop`);
  }

  /** Delays every packet by this time, ± 20 %. @throws NotPossible where the kernel has no netem. */
  delay(ms: number): void {
    needs("tc");
    const rule = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", `${ms}ms`, `${ms / 5}ms`];
    mustWork(this.inside(rule), "delay (netem)");
  }

  /** Packets dropped since the last `lose`. */
  get lost(): number {
    return Number(/packets (\d+)/.exec(this.#nft(`list chain ${CHAIN}`))?.[1] ?? 0);
  }

  #nft(rule: string): string {
    return mustWork(this.inside(["nft", rule]), "dropping packets (nftables)");
  }
}
