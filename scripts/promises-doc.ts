// Fills the last section of docs/PROMISES.md with the latest figures of each fault job: `bun scripts/promises-doc.ts`, after
// `npm run soak -- --record`. The rest of the page is written by hand. A test fails when the section is out of date.
import { join } from "node:path";

const root = join(import.meta.dir, "..");
export const PROMISES_PAGE = join(root, "docs", "PROMISES.md");
export const FAULT_RESULTS = join(root, "test", "faults", "results.jsonl");
const HEADING = "## Last figures\n";

/** One line of results.jsonl, written by `scripts/faults.ts --record`. */
export interface FaultResult {
  /** ISO 8601. */
  readonly at: string;
  readonly job: string;
  readonly verdict: "passed" | "failed" | "skipped";
  readonly seconds: number;
  readonly full: boolean;
  readonly seed: string;
  readonly counts: Readonly<Record<string, number | string>>;
  /** Parts that could not run. */
  readonly notes: readonly string[];
  readonly failures: readonly string[];
  readonly machine: { readonly cpus: number; readonly kernel: string };
}

/** The names of all jobs, read from the sources, so that the page needs no executable. */
export async function faultJobNames(): Promise<string[]> {
  const names: string[] = [];
  for (const path of [...new Bun.Glob("test/faults/*.ts").scanSync(root)].toSorted()) {
    const source = await Bun.file(join(root, path)).text();
    for (const [, name = ""] of source.matchAll(/^ {2}name: "(T\d+ [^"]+)",$/gm)) names.push(name);
  }
  return names.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

export async function faultResults(): Promise<FaultResult[]> {
  const text = await Bun.file(FAULT_RESULTS).text();
  return text
    .split("\n")
    .filter(Boolean)
    .map((line): FaultResult => JSON.parse(line));
}

/** The page with the last run of each job. */
export function promisesPage(page: string, jobs: readonly string[], results: readonly FaultResult[]): string {
  const rows = jobs.map((job) => {
    const last = results.findLast((result) => result.job === job);
    if (last === undefined) return `| ${job} | | not run yet |`;
    const counts = Object.entries(last.counts).map(([what, value]) => `${what} ${value}`);
    const size = last.full ? "" : ", short";
    const figures = [...counts, ...last.notes].join(", ").replaceAll("|", "\\|");
    return `| ${job} | ${last.verdict}, ${last.at.slice(0, 10)}${size} | ${figures} |`;
  });
  const end = page.indexOf(HEADING) + HEADING.length;
  const table = ["| job | last run | figures |", "| --- | --- | --- |", ...rows].join("\n");
  return `${page.slice(0, end)}\nWritten by \`bun scripts/promises-doc.ts\` from \`test/faults/results.jsonl\`.\n\n${table}\n`;
}

if (import.meta.main) {
  const page = await Bun.file(PROMISES_PAGE).text();
  await Bun.write(PROMISES_PAGE, promisesPage(page, await faultJobNames(), await faultResults()));
}
