// Network namespaces of one run, named after the process that made them, and their removal: at the end, on an error, on a
// signal, and by the next run where none of these had a chance. Knows how `ip` and `tc` are called, and no topology.
import { readFileSync } from "node:fs";

/** A benchmark that cannot run here, for a reason that the user can do something about. */
export class NotPossible extends Error {}

const PREFIX = "p2pbench";
/** PREFIX, process id, its start time in clock ticks since boot, and what the namespace is for. */
const NAME = /^p2pbench-(\d+)-(\d+)-\w+$/;

export class NetNamespaces {
  readonly #owner = ownerOf(process.pid) ?? "0-0";
  readonly #names = new Set<string>();

  constructor() {
    process.on("exit", () => this.removeAll());
  }

  /** @returns the full name. @throws NotPossible when the kernel refuses. */
  create(role: string): string {
    const name = `${PREFIX}-${this.#owner}-${role}`;
    this.#names.add(name);
    run(["ip", "netns", "add", name]);
    run(["ip", "-n", name, "link", "set", "lo", "up"]);
    return name;
  }

  /** With a namespace go its links and both ends of each veth pair. Processes in it must have been ended before. */
  removeAll(): void {
    for (const name of this.#names) Bun.spawnSync(["ip", "netns", "del", name], { stderr: "ignore" });
    this.#names.clear();
  }
}

/** Runs a program in a namespace, under the process id that it is started with. */
export function inNamespace(name: string, command: readonly string[]): string[] {
  return ["ip", "netns", "exec", name, ...command];
}

/** @returns what `command` printed. @throws NotPossible with its complaint when it failed. */
export function run(command: readonly string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command]);
  if (exitCode === 0) return stdout.toString();
  const complaint = stderr.toString().trim().split("\n").at(-1) ?? "";
  throw new NotPossible(`\`${command.join(" ")}\` ended with ${exitCode}: ${complaint}`);
}

/**
 * Removes namespaces whose run was killed, and ends what that run had started in them.
 * @returns how many there were.
 */
export function sweepDeadNamespaces(): number {
  const names = run(["ip", "netns", "list"]).split("\n");
  let count = 0;
  for (const line of names) {
    const name = line.split(" ")[0] ?? "";
    const [, pid, start] = NAME.exec(name) ?? [];
    if (pid === undefined || start === undefined || isAlive(`${pid}-${start}`)) continue;
    for (const left of run(["ip", "netns", "pids", name]).split("\n")) {
      if (/^\d+$/.test(left)) endProcess(Number(left));
    }
    run(["ip", "netns", "del", name]);
    count += 1;
  }
  return count;
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** Process id and start time: a number alone may be another process by now. Undefined when there is no such process. */
export function ownerOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything; starttime is field 22 of proc(5).
    return `${pid}-${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
  } catch {
    return undefined;
  }
}

/** `owner` is what ownerOf() said. */
export function isAlive(owner: string): boolean {
  return ownerOf(Number(owner.split("-")[0])) === owner;
}

/** @throws NotPossible that says what is missing, all of it at once. */
export function assertNamespaces(): void {
  const missing = ["ip", "tc"].filter((program) => Bun.which(program) === null);
  const wants = [
    ...(process.getuid?.() === 0
      ? []
      : ["root (CAP_SYS_ADMIN and CAP_NET_ADMIN): run it with sudo, or in a machine of its own"]),
    ...(missing.length === 0 ? [] : [`${missing.join(" and ")}: install iproute2`]),
  ];
  if (wants.length > 0) throw new NotPossible(`hosts in network namespaces want ${wants.join("; ")}`);
}
