// `serve --until-done N`: waits until so many other hosts have every served file.
import type { Clock } from "../../lib/clock.ts";
import { SEEDING_CHECK_MS } from "../limits.ts";

/** Of one served file. */
export interface DoneHosts {
  /** False once the file cannot be served any more: no host is waited for to get it. */
  readonly isServed: boolean;
  /** Hosts that have downloaded all of it, by their addresses. */
  doneHosts(): ReadonlySet<string>;
}

/** @returns how many hosts have every file that is still served; 0 when none is. */
export function hostsDoneWithAll(files: readonly DoneHosts[]): number {
  const [first, ...others] = files.filter((file) => file.isServed).map((file) => file.doneHosts());
  return [...(first ?? [])].filter((host) => others.every((hosts) => hosts.has(host))).length;
}

/**
 * Resolves with the number of hosts as soon as `wanted` of them are done, or with undefined when the session is stopped
 * or no file is left before.
 */
export function untilDone(
  wanted: number,
  files: readonly DoneHosts[],
  signal: AbortSignal,
  clock: Clock,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const stop = clock.every(SEEDING_CHECK_MS, () => {
      const hosts = hostsDoneWithAll(files);
      const isHopeless = signal.aborted || files.every((file) => !file.isServed);
      if (hosts < wanted && !isHopeless) return;
      stop();
      resolve(hosts < wanted ? undefined : hosts);
    });
  });
}
