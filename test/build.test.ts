import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, smokeTest } from "../build.ts";
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
