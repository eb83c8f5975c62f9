// docs/PROMISES.md names a job for every promise and a promise for every job, and shows their latest figures.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { faultJobNames, faultResults, PROMISES_PAGE, promisesPage } from "../../scripts/promises-doc.ts";

const page = readFileSync(PROMISES_PAGE, "utf8");
const jobs = await faultJobNames();
const results = await faultResults();
const promises = [...page.matchAll(/^\| (\*\*.*) \| (.*) \| (.*) \|$/gm)].map(
  ([, promise, by = "", bar]) => ({
    promise,
    jobs: by.split(", "),
    bar,
  }),
);

describe("docs/PROMISES.md", () => {
  test("names jobs that there are for every promise, and a bar", () => {
    expect(promises.length).toBeGreaterThan(10);
    for (const { promise, jobs: named, bar = "" } of promises)
      expect([promise, named.filter((job) => !jobs.includes(job)), bar.length > 10]).toEqual([
        promise,
        [],
        true,
      ]);
  });

  test("has a promise for every job", () => {
    const named = new Set(promises.flatMap((promise) => promise.jobs));
    expect(jobs.filter((job) => !named.has(job))).toEqual([]);
  });

  test("shows the latest figures: `bun scripts/promises-doc.ts` changes nothing", () => {
    expect(promisesPage(page, jobs, results)).toBe(page);
  });

  test("would show a new run", () => {
    const [first] = results;
    if (first === undefined) throw new Error("no results");
    expect(promisesPage(page, jobs, [...results, { ...first, at: "2099-01-01" }])).toContain("2099-01-01");
  });
});
