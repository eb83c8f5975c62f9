// Reads a .cpuprofile (the format of Chrome's DevTools) and tells where the time went.
import { readFileSync } from "node:fs";

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  /** Ids of nodes. */
  readonly samples: readonly number[];
}

export interface SelfTime {
  /** Function, and file with line where it is ours or a library's. */
  readonly name: string;
  /** Of all samples, 0 to 1. */
  readonly share: number;
}

/** Functions by the samples that found them at work themselves, most first. `root` is cut off the paths. */
export function selfTimes(path: string, root: string): SelfTime[] {
  const profile = JSON.parse(readFileSync(path, "utf8")) as CpuProfile;
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame, root)]));
  const counts = new Map<string, number>();
  for (const id of profile.samples) {
    const name = names.get(id) ?? "?";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const times = Array.from(counts, ([name, count]) => ({ name, share: count / profile.samples.length }));
  return times.toSorted((a, b) => b.share - a.share);
}

export function sampleCount(path: string): number {
  return (JSON.parse(readFileSync(path, "utf8")) as CpuProfile).samples.length;
}

function nameOf(frame: CpuProfile["nodes"][number]["callFrame"], root: string): string {
  const name = frame.functionName === "" ? "(anonymous)" : frame.functionName;
  if (!frame.url.startsWith("file://"))
    return frame.url === "" ? `${name} (native)` : `${name} (${frame.url})`;
  return `${name} ${frame.url.slice("file://".length).replace(`${root}/`, "")}:${frame.lineNumber + 1}`;
}
