// The executable in odd environments: hostile or read-only directories, signals, pipes, no network.
import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { runP2pfile } from "../helpers/binary.ts";
import { binaryPath } from "../helpers/executable.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();

test("nothing in the current directory is loaded or run", async () => {
  const cwd = fixture.directory("hostile");
  const proof = join(cwd, "proof");
  const evil = `require("node:fs").writeFileSync(${JSON.stringify(proof)}, "ran");`;
  writeFileSync(join(cwd, ".env"), "P2PFILE_PORT=1\nP2PFILE_NONSENSE=1\nBUN_OPTIONS=--preload ./evil.ts\n");
  writeFileSync(join(cwd, "bunfig.toml"), 'preload = ["./evil.ts"]\n[test]\npreload = ["./evil.ts"]\n');
  writeFileSync(join(cwd, "package.json"), '{"type": "module", "imports": {"#x": "./evil.ts"}}');
  writeFileSync(join(cwd, "tsconfig.json"), "{ not json");
  for (const folder of [".", "workers", "src/hashing"]) {
    mkdirSync(join(cwd, folder), { recursive: true });
    for (const name of ["evil.ts", "hash-worker.ts", "hash-worker.js"])
      writeFileSync(join(cwd, folder, name), evil);
  }
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 24 * MiB);
  const seed = runP2pfile(fixture, ["serve", file.path], { cwd });
  const leech = runP2pfile(fixture, ["download", await seed.magnet()], { cwd });
  expect(await leech.waitForExit()).toBe(0);
  expect(sha256Of(join(cwd, "a.bin"))).toBe(file.sha256);
  expect(existsSync(proof)).toBe(false);
});

test("C14: in a read-only directory serve prints one warning and works", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 8 * MiB);
  const cwd = fixture.directory("read-only");
  chmodSync(cwd, 0o555);
  const seed = runP2pfile(fixture, ["serve", file.path], { cwd, asNobody: true, json: false });
  const target = fixture.directory("target");
  const leech = runP2pfile(fixture, ["download", await seed.magnet()], { cwd: target });
  expect(await leech.waitForExit()).toBe(0);
  expect(sha256Of(join(target, "a.bin"))).toBe(file.sha256);
  expect(seed.lines.stderr.filter((line) => line.text.includes(".p2pfile.db"))).toHaveLength(1);
  expect(readdirSync(cwd)).toEqual([]);
});

test("C14: download -o works from a read-only directory", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 8 * MiB);
  const seed = runP2pfile(fixture, ["serve", file.path]);
  const cwd = fixture.directory("read-only");
  chmodSync(cwd, 0o555);
  const target = fixture.directory("target");
  chmodSync(target, 0o777);
  const leech = runP2pfile(fixture, ["download", "-o", target, await seed.magnet()], {
    cwd,
    asNobody: true,
    json: false,
  });
  expect(await leech.waitForExit()).toBe(0);
  expect(sha256Of(join(target, "a.bin"))).toBe(file.sha256);
  expect(leech.lines.stderr.filter((line) => line.text.includes(".p2pfile.db"))).toHaveLength(1);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("P2: %s ends serve and download with %d within 3 seconds", async (signal, code) => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 32 * MiB);
  const seed = runP2pfile(fixture, ["serve", "--upload-limit", "4", file.path]);
  const leech = runP2pfile(fixture, ["download", await seed.magnet()]);
  await leech.waitForProgress((snapshot) => snapshot.completed > 0);
  for (const run of [leech, seed]) {
    run.signal(signal);
    expect(await run.waitForExit(3000)).toBe(code);
    expect(run.wasKilled).toBe(false);
  }
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("P2: %s ends a download without peers with %d", async (signal, code) => {
  const noPeer = `${fixture.address()}:42070`;
  const leech = runP2pfile(fixture, ["download", `magnet:?xt=urn:btih:${"1".repeat(40)}&x.pe=${noPeer}`]);
  await leech.waitForEvent("listening");
  leech.signal(signal);
  expect(await leech.waitForExit(3000)).toBe(code);
});

test("P2: a signal that was ignored at the start stays ignored: serve under nohup outlives its terminal", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 1 * MiB);
  const cwd = fixture.directory("cwd");
  const command = ["nohup", binaryPath, "serve", "--ip", fixture.address(), file.path];
  const seed = fixture.spawn(command, { cwd, env: { HOME: cwd } });
  const { text: magnet } = await seed.waitForLine("stdout", /^magnet:/);
  seed.signal("SIGHUP");
  const leech = runP2pfile(fixture, ["download", magnet]);
  expect(await leech.waitForExit()).toBe(0);
  seed.signal("SIGTERM");
  expect(await seed.waitForExit(3000)).toBe(143);
});

test("the home directory of another user counts as one without a configuration file", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 1 * MiB);
  const home = fixture.directory("home");
  writeFileSync(join(home, ".p2pfile.yaml"), "not: valid\n");
  chmodSync(home, 0o700);
  const seed = runP2pfile(fixture, ["serve", file.path], { asNobody: true, env: { HOME: home } });
  expect(await seed.magnet()).toStartWith("magnet:");
});

test("C19: a current directory that is not UTF-8 is code 4, and nothing is made", async () => {
  const cwd = fixture.directory("cwd");
  const magnet = `magnet:?xt=urn:btih:${"1".repeat(40)}`;
  const script = `d=$(printf 'd\\377'); mkdir "$d"; cd "$d"; exec "$0" download --ip "$1" "$2"`;
  const leech = fixture.spawn(["sh", "-c", script, binaryPath, fixture.address(), magnet], {
    cwd,
    env: { HOME: cwd },
  });
  expect(await leech.waitForExit(5000)).toBe(4);
  expect(leech.text("stderr")).toContain("not valid UTF-8");
  const left = Bun.spawnSync(["find", cwd, "-mindepth", "1"]).stdout;
  expect(left.toString("latin1").trim().split("\n")).toEqual([`${cwd}/d\xff`]);
});

test.each(["-o", "--dir"])(
  "C19: %s with a path that is not UTF-8 is code 4, and nothing is made",
  async (flag) => {
    const cwd = fixture.directory("cwd");
    const magnet = `magnet:?xt=urn:btih:${"1".repeat(40)}`;
    const script = `exec "$0" download --ip "$1" "$2" "$(printf 'd\\377')" "$3"`;
    const leech = fixture.spawn(["sh", "-c", script, binaryPath, fixture.address(), flag, magnet], {
      cwd,
      env: { HOME: cwd },
    });
    expect(await leech.waitForExit(5000)).toBe(4);
    expect(leech.text("stderr")).toContain("not valid UTF-8");
    expect(readdirSync(cwd)).toEqual([]);
  },
);

test("serve goes on when the reader of its output has gone", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 4 * MiB);
  const ip = fixture.address();
  const cwd = fixture.directory("cwd");
  const pipe = '"$0" serve --ip "$1" "$2" | head -n 1';
  const line = fixture.spawn(["sh", "-c", pipe, binaryPath, ip, file.path], { cwd, env: { HOME: cwd } });
  const { text: magnet } = await line.waitForLine("stdout", /^magnet:/);
  const leech = runP2pfile(fixture, ["download", magnet]);
  expect(await leech.waitForExit()).toBe(0);
  expect(sha256Of(join(leech.cwd, "a.bin"))).toBe(file.sha256);
});

const canUnshare = Bun.spawnSync(["unshare", "--net", "ip", "link", "set", "lo", "up"], {
  stderr: "ignore",
}).success;

test.skipIf(!canUnshare)(
  "without a network loopback is enough, and serve warns that no other machine can reach it",
  async () => {
    const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 8 * MiB);
    const cwd = fixture.directory("cwd");
    const script = `ip link set lo up
    "$0" serve "$1" > magnet 2> serve.log & seed=$!
    trap 'kill $seed' EXIT
    until [ -s magnet ]; do sleep 0.1; done
    "$0" download --dir target "$(cat magnet)"`;
    mkdirSync(join(cwd, "target"));
    const alone = fixture.spawn(["unshare", "--net", "sh", "-c", script, binaryPath, file.path], {
      cwd,
      env: { HOME: cwd },
    });
    expect(await alone.waitForExit()).toBe(0);
    expect(sha256Of(join(cwd, "target/a.bin"))).toBe(file.sha256);
    expect(readFileSync(join(cwd, "serve.log"), "utf8")).toMatch(/127\.0\.0\.1.*--ip/);
  },
);

test.each([
  ["sets up the engine before it serves", {}, ["1000000", "20000"]],
  ["leaves the user's own settings of the engine alone", { JIT: "400", Optimize: "5000" }, ["5000", "400"]],
])("%s, as the same process with the same arguments", async (_, own, [optimise, compile]) => {
  const file = makeBigFile(join(fixture.directory("source"), "odd name  ü.bin"), 1 * MiB);
  const nameOf = (what: string) => `BUN_JSC_threshold${what === "JIT" ? "ForJIT" : "ForOptimize"}AfterWarmUp`;
  const env = Object.fromEntries(Object.entries(own).map(([what, value]) => [nameOf(what), value]));
  const seed = runP2pfile(fixture, ["serve", file.path], { env });
  await seed.magnet();
  const ofProcess = (what: string) => readFileSync(`/proc/${seed.pid}/${what}`, "utf8").split("\0");
  expect(
    ofProcess("environ")
      .filter((line) => line.startsWith("BUN_"))
      .sort(),
  ).toEqual([
    "BUN_JSC_smallHeapSize=8388608",
    `${nameOf("JIT")}=${compile}`,
    `${nameOf("Optimize")}=${optimise}`,
    "BUN_JSC_useWarmUpMarkedBlocks=0",
  ]);
  expect(ofProcess("cmdline").slice(0, -1)).toEqual([...seed.command]);
  expect(ofProcess("comm")).toEqual(["p2pfile\n"]);
});

test("an executable that is removed while it starts still serves, without a warning", async () => {
  const cwd = fixture.directory("removed");
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 1 * MiB);
  const script = `cp "$0" p2pfile; exec 9<p2pfile; rm p2pfile; exec /proc/self/fd/9 serve --ip 127.0.0.1 "$1"`;
  const seed = fixture.spawn(["bash", "-c", script, binaryPath, file.path], { cwd, env: { HOME: cwd } });
  const { text: magnet } = await seed.waitForLine("stdout", /^magnet:/);
  const leech = runP2pfile(fixture, ["download", magnet]);
  expect(await leech.waitForExit()).toBe(0);
  expect(seed.lines.stderr.map((line) => line.text).filter((text) => /warn|execve/i.test(text))).toEqual([]);
});
