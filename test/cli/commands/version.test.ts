import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { runCaptured } from "../fake-environment.ts";

const { version } = packageJson;
const bun = Bun.version;

/** The program from its sources, with the commit that a build would have put in. */
function built(commit: string, ...argv: readonly string[]): string {
  const main = join(import.meta.dir, "../../../src/main.ts");
  const define = `P2PFILE_COMMIT=${JSON.stringify(commit)}`;
  return Bun.spawnSync([process.execPath, "--define", define, main, ...argv]).stdout.toString();
}

describe("p2pfile version", () => {
  test("prints name, version and Bun's version on one line", async () => {
    const { stdout, stderr, exitCode } = await runCaptured(["version"]);
    expect([stdout, stderr, exitCode]).toEqual([`p2pfile ${version} (unreleased, Bun ${bun})\n`, "", 0]);
  });

  test("--json prints one object whose commit is null when it is not known", async () => {
    const { stdout, stderr, exitCode } = await runCaptured(["version", "--json"]);
    expect(stdout).toBe(`${JSON.stringify({ v: 1, name: "p2pfile", version, commit: null, bun })}\n`);
    expect([stderr, exitCode]).toEqual(["", 0]);
  });

  test("names the commit that was built", () => {
    expect(built("1a2b3c4", "version")).toBe(`p2pfile ${version} (commit 1a2b3c4, Bun ${bun})\n`);
    expect(JSON.parse(built("1a2b3c4", "version", "--json"))).toMatchObject({ commit: "1a2b3c4" });
  });

  test("is unreleased when the build does not know its commit", () => {
    expect(built("", "version")).toBe(`p2pfile ${version} (unreleased, Bun ${bun})\n`);
    expect(JSON.parse(built("", "version", "--json"))).toMatchObject({ commit: null });
  });

  test("takes no argument, and --version stays the bare version", async () => {
    expect((await runCaptured(["version", "x"])).stderr).toBe("p2pfile: version: unexpected argument 'x'\n");
    expect(built("1a2b3c4", "--version")).toBe(`${version}\n`);
  });

  test("has its fields described in docs/JSON.md", async () => {
    const { stdout } = await runCaptured(["version", "--json"]);
    const page = await Bun.file(join(import.meta.dir, "../../../docs/JSON.md")).text();
    const section = page.slice(page.indexOf("### `version`"));
    for (const field of Object.keys(JSON.parse(stdout))) {
      if (field !== "v") expect(section).toContain(`| \`${field}\``);
    }
  });
});
