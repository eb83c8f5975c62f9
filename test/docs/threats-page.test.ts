// Every row of docs/THREATS.md is held by a test that carries its number, or stands among those that do not apply.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { numberedTests, THREATS_PAGE, threatsPage } from "../../scripts/threats-doc.ts";

const root = join(import.meta.dir, "../..");
const page = readFileSync(THREATS_PAGE, "utf8");
const [held = "", exempt = ""] = page.split("## Does not apply");
const tests = await numberedTests();

function rowsOf(part: string): { readonly id: string; readonly cells: readonly string[] }[] {
  return [...part.matchAll(/^\| ([A-Z]\d+) \| (.*) \|$/gm)].map(([, id = "", rest = ""]) => ({
    id,
    cells: rest.split(" | "),
  }));
}

describe("docs/THREATS.md", () => {
  test("has each row once, from the first number of its kind to the last", () => {
    const ids = [...rowsOf(held), ...rowsOf(exempt)].map(({ id }) => id);
    const counts = { C: 21, B: 10, W: 25, D: 12, L: 1, P: 8, N: 6, X: 4 };
    const expected = Object.entries(counts).flatMap(([kind, count]) =>
      Array.from({ length: count }, (_, i) => `${kind}${i + 1}`),
    );
    expect(ids.toSorted()).toEqual(expected.toSorted());
    expect([...tests.keys()].filter((id) => !expected.includes(id))).toEqual([]);
  });

  test("says of each row what comes and what happens, and has a test for it", () => {
    for (const { id, cells } of rowsOf(held)) {
      const [input = "", behaviour = ""] = cells;
      expect([id, input.length > 10, behaviour.length > 10, tests.has(id)]).toEqual([id, true, true, true]);
    }
  });

  test("gives a reason for each row that does not apply, and no test claims one", () => {
    for (const { id, cells } of rowsOf(exempt))
      expect([id, cells.length, (cells[1] ?? "").length > 20, tests.has(id)]).toEqual([id, 2, true, false]);
  });

  test("names the tests as they are: `bun scripts/threats-doc.ts` changes nothing", () => {
    expect(threatsPage(page, tests)).toBe(page);
  });

  test("would show a test that was renamed, and a row whose test is gone", () => {
    const [row = { id: "", cells: [] }] = rowsOf(held);
    expect(threatsPage(page, new Map([...tests].filter(([id]) => id !== row.id)))).not.toBe(page);
  });
});

test("C17: no source starts another program", () => {
  const offenders = [...new Bun.Glob("{src,workers}/**/*.ts").scanSync(root)].filter((path) => {
    const source = readFileSync(join(root, path), "utf8").replaceAll(/\.exec\(/g, "");
    return /\b(?:Bun\.spawn|spawnSync|child_process|exec(?:Sync|File)?\()|\bBun\.\$|[^\w`]\$`/.test(source);
  });
  expect(offenders).toEqual([]);
});
