import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, smokeTest, sourceCommit } from "../build.ts";
import packageJson from "../package.json" with { type: "json" };
import { MiB } from "../src/lib/units.ts";

const folder = mkdtempSync(join(tmpdir(), "p2pfile-build-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A shell script in the place of the executable. */
function fake(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("build.ts", () => {
  test("makes one executable, which hashes in its own workers far from the sources", async () => {
    const home = join(folder, "home");
    const executable = join(home, "p2pfile");
    const { size } = await build(executable);
    expect(size).toBeLessThan(130 * MiB);
    expect(readdirSync(home)).toEqual(["p2pfile"]);
    const content = join(folder, "content");
    writeFileSync(content, new Uint8Array(20 * MiB));
    const child = Bun.spawn([executable, "serve", "--ip", "127.0.0.1", content], {
      cwd: home,
      // The packages take it for their own.
      env: { HOME: home, DEBUG: "*" },
      stdout: "pipe",
      stderr: "pipe",
      timeout: 20_000,
    });
    const { value } = await child.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toStartWith("magnet:?xt=urn:btih:");
    child.kill("SIGTERM");
    await child.exited;
    expect(await child.stderr.text()).not.toContain("bittorrent-dht");
  });

  test("makes the same bytes in another process, directory and environment", async () => {
    const outfiles = ["one", "another/directory"].map((directory) => join(folder, directory, "p2pfile"));
    const builds = outfiles.map((outfile, index) =>
      Bun.spawn([process.execPath, join(import.meta.dir, "../build.ts"), "--outfile", outfile], {
        cwd: index === 0 ? folder : import.meta.dir,
        env: { ...process.env, TZ: index === 0 ? "Asia/Tokyo" : "UTC" },
        stdout: "ignore",
      }),
    );
    expect(await Promise.all(builds.map(({ exited }) => exited))).toEqual([0, 0]);
    const [one, another] = outfiles.map((outfile) => readFileSync(outfile));
    expect(one!.equals(another!)).toBe(true);
  });

  test("puts nothing in place when the sources do not build, and says why", async () => {
    const root = join(folder, "broken");
    const script = `
      import { build } from ${JSON.stringify(join(import.meta.dir, "../build.ts"))};
      Bun.build = async () => ({ success: false, logs: ["main.ts is broken"], outputs: [] });
      await build(${JSON.stringify(join(root, "p2pfile"))}).catch((error) => console.log(error.message));`;
    writeFileSync(join(folder, "broken.ts"), script);
    const { stdout } = Bun.spawnSync([process.execPath, join(folder, "broken.ts")]);
    expect(stdout.toString()).toContain("main.ts is broken");
    expect(readdirSync(root)).toEqual([]);
  });
});

describe("sourceCommit", () => {
  const repository = join(folder, "repository");
  const git = (...args: string[]): string => {
    const identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
    const { stdout, stderr, success } = Bun.spawnSync(["git", "-C", repository, ...identity, ...args]);
    if (!success) throw new Error(stderr.toString());
    return stdout.toString().trim();
  };
  mkdirSync(join(repository, "sources"), { recursive: true });

  test("is empty where there is no repository, no commit, or no git", () => {
    expect(sourceCommit(repository)).toBe("");
    git("init", "--quiet");
    expect(sourceCommit(repository)).toBe("");
    git("commit", "--quiet", "--allow-empty", "--message", "first");
    expect(sourceCommit(repository, "git-that-is-not-installed")).toBe("");
  });

  test("is the full hash of the commit that is checked out", () => {
    expect(sourceCommit(repository)).toMatch(/^[0-9a-f]{40}$/);
    expect(sourceCommit(repository)).toBe(git("rev-parse", "HEAD"));
  });

  test("is not that of the repository around the sources", () => {
    expect(sourceCommit(join(repository, "sources"))).toBe("");
  });

  test("is empty when a file is new or differs", () => {
    const file = join(repository, "sources/x.ts");
    writeFileSync(file, "1");
    expect(sourceCommit(repository)).toBe("");
    git("add", ".");
    git("commit", "--quiet", "--message", "second");
    expect(sourceCommit(repository)).toBe(git("rev-parse", "HEAD"));
    writeFileSync(file, "2");
    expect(sourceCommit(repository)).toBe("");
  });
});

describe("smokeTest", () => {
  const version = `echo ${packageJson.version}`;

  test("accepts an executable that answers its version", () => {
    expect(() => smokeTest(fake("good", version))).not.toThrow();
  });

  test("rejects an executable that runs the directory's preload, reads its .env, or says something else", () => {
    expect(() => smokeTest(fake("preload", `cat preload.ts; ${version}`))).toThrow("preload of bunfig.toml");
    expect(() => smokeTest(fake("dotenv", `[ "$1" = serve ] && cat .env; ${version}`))).toThrow("reads .env");
    expect(() => smokeTest(fake("silent", "exit 0"))).toThrow("--version answered");
  });

  test("leaves no directory behind", () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("p2pfile-build-")).length;
    smokeTest(fake("again", version));
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("p2pfile-build-")).length).toBe(before);
    expect(existsSync(folder)).toBe(true);
  });
});
