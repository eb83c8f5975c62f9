// Fills the last column of docs/THREATS.md with the tests of each row: `bun scripts/threats-doc.ts`. The other columns are
// written by hand. A test fails when the page is out of date, or when a row has no test.
import { join } from "node:path";

const root = join(import.meta.dir, "..");
export const THREATS_PAGE = join(root, "docs", "THREATS.md");
/** Test names shown for one row and file; the others are counted. */
const MAX_NAMES = 3;

/** Names of tests without their row ids, by row and then by file. */
export type NumberedTests = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** A test belongs to the rows whose ids its name begins with: "C4, C5: refuses %s". */
export async function numberedTests(): Promise<NumberedTests> {
  const found = new Map<string, Map<string, string[]>>();
  const name = /["`]([CBWDLPNX]\d+(?:, [CBWDLPNX]\d+)*): ((?:[^"`\n\\]|\\.)*)["`]/g;
  for (const path of [...new Bun.Glob("test/**/*.test.ts").scanSync(root)].toSorted()) {
    const source = await Bun.file(join(root, path)).text();
    for (const [, ids = "", words = ""] of source.matchAll(name)) {
      for (const id of ids.split(", ")) {
        const files = found.get(id) ?? new Map<string, string[]>();
        files.set(path.slice("test/".length), [...(files.get(path.slice("test/".length)) ?? []), words]);
        found.set(id, files);
      }
    }
  }
  return found;
}

/** The page with the current tests. Rows that do not apply have three columns and stay. */
export function threatsPage(page: string, tests: NumberedTests): string {
  return page.replaceAll(
    /^\| ([A-Z]\d+) \| (.*?) \| (.*?) \| .*$/gm,
    (_, id: string, input: string, behaviour: string) =>
      `| ${id} | ${input} | ${behaviour} | ${cell(tests.get(id) ?? new Map())} |`,
  );
}

function cell(files: ReadonlyMap<string, readonly string[]>): string {
  return [...files]
    .map(([file, names]) => {
      const more = names.length > MAX_NAMES ? [`and ${names.length - MAX_NAMES} more`] : [];
      const shown = [...names.slice(0, MAX_NAMES), ...more].join("; ");
      return `\`${file}\`: ${shown.replaceAll("|", "\\|").replaceAll("<", "&lt;")}`;
    })
    .join("<br>");
}

if (import.meta.main) {
  const page = await Bun.file(THREATS_PAGE).text();
  await Bun.write(THREATS_PAGE, threatsPage(page, await numberedTests()));
}
