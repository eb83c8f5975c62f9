import { expect, test } from "bun:test";
import { LIMITS_PAGE, limitsPage } from "../../scripts/limits-doc.ts";

test("docs/LIMITS.md is what `bun scripts/limits-doc.ts` makes of the source", async () => {
  expect(await Bun.file(LIMITS_PAGE).text()).toBe(await limitsPage());
});

test("every limit has a reason", async () => {
  const rows = (await limitsPage()).split("\n").filter((line) => line.startsWith("| `"));
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.filter((row) => row.endsWith("|  |"))).toEqual([]);
});
