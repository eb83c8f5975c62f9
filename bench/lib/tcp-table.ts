// The TCP connections of a network namespace, as the kernel lists them for a process in it: /proc/PID/net/tcp. The kernel
// walks a table of the whole machine for each reading, which was seen to cost 5 ms: nothing to do often. How many sockets
// there are costs next to nothing.
import { readFileSync } from "node:fs";

export interface TcpEntry {
  /** `10.1.1.1:42070` */
  readonly local: string;
  readonly remote: string;
  readonly state: "established" | "listening" | "other";
}

/** Empty when there is no such process (any more). */
export function tcpTable(pid: number | "self"): TcpEntry[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/net/tcp`, "utf8");
  } catch {
    return [];
  }
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local, remote, state] = /^\s*\d+: (\S+) (\S+) ([0-9A-F]{2}) /.exec(line) ?? [];
      if (local === undefined || remote === undefined) return [];
      return [{ local: addressOf(local), remote: addressOf(remote), state: stateOf(state) }];
    });
}

/** Sockets that are connected, connecting or listening, in the namespace of the process; 0 when there is none. */
export function tcpSocketCount(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/net/sockstat`, "utf8");
    return Number(/^TCP: inuse (\d+)/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Also true when a process listens on all addresses. */
export function listensOn(pid: number, port: number): boolean {
  return tcpTable(pid).some(({ local, state }) => state === "listening" && local.endsWith(`:${port}`));
}

/** Numbers of include/net/tcp_states.h. */
function stateOf(state: string | undefined): TcpEntry["state"] {
  return state === "01" ? "established" : state === "0A" ? "listening" : "other";
}

/** `0101010A:A456`: the address in the byte order of the machine, which is little endian, the port in hexadecimal. */
function addressOf(text: string): string {
  const [host = "", port = ""] = text.split(":");
  const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(host.slice(at, at + 2), 16));
  return `${bytes.join(".")}:${Number.parseInt(port, 16)}`;
}
