// `serve --until-done N`: waits until so many other hosts have every served file.
import type { DoneHosts } from "../../core/exchange/first-hand-hosts.ts";
import type { Clock } from "../../lib/clock.ts";
import { SEEDING_CHECK_MS } from "../limits.ts";

/** Of one served file. */
export interface CountedFile {
  /** False once the file cannot be served any more: no host is waited for to get it. */
  readonly isServed: boolean;
  /** Hosts that have downloaded all of it, with their destinations. */
  doneHosts(): DoneHosts;
}

export interface HostGoal {
  readonly hosts: number;
  /** Destinations of one address that are counted. */
  readonly perAddress: number;
}

/** @returns how many hosts have every file that is still served; 0 when none is. */
export function hostsDoneWithAll(files: readonly CountedFile[], perAddress: number): number {
  const [first, ...others] = files.filter((file) => file.isServed).map((file) => file.doneHosts());
  let total = 0;
  for (const [host, destinations] of first ?? []) {
    const elsewhere = others.map((hosts) => hosts.get(host));
    if (elsewhere.some((ids) => ids === undefined)) continue;
    const withAll = [...destinations].filter((id) => elsewhere.every((ids) => ids?.has(id)));
    // The address has them all, be it in several directories.
    total += Math.min(perAddress, Math.max(1, withAll.length));
  }
  return total;
}

/**
 * Resolves with the number of hosts as soon as enough of them are done, or with undefined when the session is stopped
 * or no file is left before.
 */
export function untilDone(
  goal: HostGoal,
  files: readonly CountedFile[],
  signal: AbortSignal,
  clock: Clock,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const stop = clock.every(SEEDING_CHECK_MS, () => {
      const hosts = hostsDoneWithAll(files, goal.perAddress);
      const isHopeless = signal.aborted || files.every((file) => !file.isServed);
      if (hosts < goal.hosts && !isHopeless) return;
      stop();
      resolve(hosts < goal.hosts ? undefined : hosts);
    });
  });
}
