// Every wrong input ends with its exit code and one line that names the problem, and changes no file of the user.
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { type P2pfile, runP2pfile, type RunOptions } from "../helpers/binary.ts";
import { startRawPeer } from "../helpers/raw-peer.ts";
import { useTestFixture } from "../helpers/test-directory.ts";
import { bencode, infoHashOf, magnetOf, makeInfo } from "../helpers/torrent-file.ts";

const fixture = useTestFixture();
const HASH = "0123456789abcdef0123456789abcdef01234567";

/** Runs to the end and checks what holds for every failure: exit code, empty stdout, one line, no stack trace. */
async function expectFailure(
  args: readonly string[],
  code: number,
  message: RegExp,
  options: RunOptions = {},
): Promise<P2pfile> {
  const run = runP2pfile(fixture, args, { json: false, ...options });
  expect(await run.waitForExit(15_000)).toBe(code);
  expect(run.text("stdout")).toBe("");
  const errors = run.lines.stderr
    .filter((line) => line.text.startsWith("p2pfile: "))
    .map((line) => line.text);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(message);
  expect(run.text("stderr")).not.toMatch(/^\s+at /m);
  return run;
}

describe("serve", () => {
  test("C4: a missing file ends with 3", () => expectFailure(["serve", "nowhere.bin"], 3, /nowhere\.bin/));

  test("C4: a directory ends with 3", async () => {
    const cwd = fixture.directory("cwd");
    mkdirSync(join(cwd, "folder"));
    await expectFailure(["serve", "folder"], 3, /folder.*directory/i, { cwd });
  });

  test("C5: an empty file ends with 3", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "empty.bin"), "");
    await expectFailure(["serve", "empty.bin"], 3, /empty\.bin.*empty/i, { cwd });
  });

  test("C4: an unreadable file ends with 3", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "secret.bin"), "secret");
    chmodSync(join(cwd, "secret.bin"), 0o000);
    chmodSync(cwd, 0o777);
    await expectFailure(["serve", "secret.bin"], 3, /secret\.bin/, { cwd, asNobody: true });
  });

  test("C4: a FIFO ends with 3 and does not hang", async () => {
    const cwd = fixture.directory("cwd");
    Bun.spawnSync(["mkfifo", join(cwd, "queue")]);
    await expectFailure(["serve", "queue"], 3, /queue/, { cwd });
  });

  test("C4: a device ends with 3", () => expectFailure(["serve", "/dev/zero"], 3, /\/dev\/zero/));

  test("C6: a symbolic link is served as its target", async () => {
    const cwd = fixture.directory("cwd");
    makeBigFile(join(cwd, "target.bin"), MiB);
    symlinkSync("target.bin", join(cwd, "link.bin"));
    const seed = runP2pfile(fixture, ["serve", "link.bin"], { cwd });
    expect(await seed.magnet()).toContain("magnet:");
  });

  test("C3: a port in use ends with 2", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    const ip = fixture.address();
    const taken = Bun.listen({ hostname: ip, port: 0, socket: { data() {} } });
    fixture.onEnd(() => taken.stop(true));
    await expectFailure(["serve", "--port", String(taken.port), "a.bin"], 2, new RegExp(String(taken.port)), {
      cwd,
      ip,
    });
  });

  test("C3: a UDP port in use ends with 2", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    const ip = fixture.address();
    const taken = await Bun.udpSocket({ hostname: ip, port: 0 });
    fixture.onEnd(() => taken.close());
    await expectFailure(["serve", "--port", String(taken.port), "a.bin"], 2, new RegExp(String(taken.port)), {
      cwd,
      ip,
    });
  });

  test("C3: a port range without a free port ends with 2", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    const ip = fixture.address();
    for (const port of [42070, 42071, 42072]) {
      const taken = Bun.listen({ hostname: ip, port, socket: { data() {} } });
      fixture.onEnd(() => taken.stop(true));
    }
    await expectFailure(["serve", "--port-range", "42070-42072", "a.bin"], 2, /42070.*42072/, { cwd, ip });
  });

  test("C3: the last free port of a range is found", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    const ip = fixture.address();
    for (const port of [42070, 42071, 42073]) {
      const taken = Bun.listen({ hostname: ip, port, socket: { data() {} } });
      fixture.onEnd(() => taken.stop(true));
    }
    const seed = runP2pfile(fixture, ["serve", "--port-range", "42070-42073", "a.bin"], { cwd, ip });
    expect(await seed.magnet()).toEndWith(`x.pe=${ip}:42072`);
  });

  test("an address of another machine ends with 2", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    await expectFailure(["serve", "--ip", "10.255.255.1", "a.bin"], 2, /10\.255\.255\.1/, {
      cwd,
      ip: undefined,
    });
  });

  test("a wrong file beside a right one does not stop the right one", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    const seed = runP2pfile(fixture, ["serve", "nowhere.bin", "a.bin"], { cwd });
    expect((await seed.waitForEvent("serving")).name).toBe("a.bin");
    expect(seed.eventsOf("failed").map((event) => [event.index, event.exitCode])).toEqual([[0, 3]]);
  });
});

describe("the command line", () => {
  test.each([
    [["serve", "--uplod-limit", "5", "a.bin"], /--uplod-limit/],
    [["download", "--nope", magnetOf(HASH, "x")], /--nope/],
    [["serve"], /FILE/],
    [["download"], /MAGNET/],
    [["serve", "--upload-limit", "fast", "a.bin"], /--upload-limit/],
    [["serve", "--upload-limit", "-1", "a.bin"], /--upload-limit/],
    [["serve", "--port", "70000", "a.bin"], /--port/],
    [["serve", "--port-range", "10-5", "a.bin"], /--port-range/],
    [["serve", "--peers", "host", "a.bin"], /--peers/],
    [["download", "--seeding-ratio", "x", magnetOf(HASH, "x")], /--seeding-ratio/],
    [["completion", "tcsh"], /tcsh/],
    [["fetch"], /fetch/],
  ] as const)("%j ends with 2", async (args, message) => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    await expectFailure(args, 2, message, { cwd });
  });

  test.each([
    ["not a magnet", "hello", /hello|magnet/],
    ["no xt", "magnet:?dn=x", /xt/],
    ["a short hash", "magnet:?xt=urn:btih:abc", /abc|btih|hash/],
    ["a hash that is not hexadecimal", `magnet:?xt=urn:btih:${"z".repeat(40)}`, /btih|hash|zzz/],
    ["version 2 alone", `magnet:?xt=urn:btmh:1220${"a".repeat(64)}`, /v2|btmh|version 2/],
    ["two info hashes", `${magnetOf(HASH, "x")}&xt=urn:btih:${"e".repeat(40)}`, /2 different/],
    [
      "more than 64 KiB",
      `${magnetOf(HASH, "x")}&tr=${"a".repeat(66_000)}`,
      /^p2pfile: .{0,200}longer than 65536/,
    ],
  ])("C1: a magnet with %s ends with 2", (_, magnet, message) =>
    expectFailure(["download", magnet], 2, message),
  );

  test("an unknown key of the configuration file ends with 2 and is named", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    writeFileSync(join(cwd, "config.yaml"), "upload-limit: 5\nuplaod-limit: 6\n");
    await expectFailure(["serve", "--config", "config.yaml", "a.bin"], 2, /uplaod-limit/, { cwd });
  });

  test("a configuration file that is not YAML ends with 2 and is named", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    writeFileSync(join(cwd, "config.yaml"), "port: [1\n");
    await expectFailure(["serve", "--config", "config.yaml", "a.bin"], 2, /config\.yaml/, { cwd });
  });

  test("a named configuration file that is missing ends with 2", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    await expectFailure(["serve", "--config", "missing.yaml", "a.bin"], 2, /missing\.yaml/, { cwd });
  });
});

describe("download", () => {
  async function servedMagnet(): Promise<string> {
    const file = makeBigFile(join(fixture.directory("source"), "a.bin"), MiB);
    return runP2pfile(fixture, ["serve", file.path]).magnet();
  }

  test("C14: a destination that cannot be written ends with 4", async () => {
    const magnet = await servedMagnet();
    const target = fixture.directory("target");
    chmodSync(target, 0o555);
    await expectFailure(["download", "--dir", target, magnet], 4, new RegExp(target), { asNobody: true });
  });

  test("a destination that is missing ends with 4", async () => {
    const magnet = await servedMagnet();
    await expectFailure(["download", "--dir", "/nowhere/at/all", magnet], 4, /\/nowhere\/at\/all/);
  });

  test("C13: a destination that is a file ends with 4", async () => {
    const magnet = await servedMagnet();
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "plain"), "");
    await expectFailure(["download", "--dir", "plain", magnet], 4, /plain/, { cwd });
  });

  test.each(["directory", "dangling link"])(
    "C13: a %s under the final name ends with 4 and stays",
    async (kind) => {
      const magnet = await servedMagnet();
      const cwd = fixture.directory("cwd");
      const elsewhere = join(fixture.directory("elsewhere"), "b.bin");
      if (kind === "directory") mkdirSync(join(cwd, "a.bin"));
      else symlinkSync(elsewhere, join(cwd, "a.bin"));
      await expectFailure(["download", magnet], 4, /a\.bin/, { cwd });
      expect(existsSync(elsewhere)).toBe(false);
    },
  );

  test("no peer within --timeout ends with 6", () =>
    expectFailure(
      ["download", "--timeout", "1", magnetOf(HASH, "x", [`${fixture.address()}:42070`])],
      6,
      /peer|metadata/i,
    ));

  test.each([
    "../escaped",
    "a/b",
    "..",
    ".",
    "",
    "/etc/p2pfile-escaped",
    "a\u0000b",
    ".p2pfile.db",
    ".p2pfile.db-wal",
    ".a.01234567.p2pfile-part",
  ])("C15, C20: metadata with the name %j creates nothing", async (name) => {
    const { info, infoHash } = makeInfo(name, Buffer.from("hostile"), 16 * 1024);
    const { cwd, run } = await runAgainst(info, infoHash);
    expect([4, 7]).toContain(await run.waitForExit(15_000));
    expect(run.text("stdout")).toBe("");
    expect(run.text("stderr")).not.toMatch(/^\s+at /m);
    const left = readdirSync(cwd).filter((entry) => !entry.startsWith(".p2pfile.db"));
    expect(left).toEqual([]);
    expect(existsSync(join(cwd, "../escaped"))).toBe(false);
  });

  test.each([
    ["no length", { name: "x", "piece length": 16384, pieces: Buffer.alloc(20) }],
    ["length 0", { length: 0, name: "x", "piece length": 16384, pieces: Buffer.alloc(0) }],
    ["a negative length", { length: -1, name: "x", "piece length": 16384, pieces: Buffer.alloc(20) }],
    ["too few hashes", { length: 50_000, name: "x", "piece length": 16384, pieces: Buffer.alloc(20) }],
    ["pieces that are no hashes", { length: 5, name: "x", "piece length": 16384, pieces: Buffer.alloc(19) }],
    ["piece length 0", { length: 5, name: "x", "piece length": 0, pieces: Buffer.alloc(20) }],
    [
      "several files",
      {
        files: ["a", "b"].map((name) => ({ length: 5, path: [name] })),
        name: "x",
        "piece length": 16384,
        pieces: Buffer.alloc(20),
      },
    ],
  ])("B7, B8, B9: metadata with %s ends with 7", async (_, dictionary) => {
    const info = bencode(dictionary);
    const { cwd, run } = await runAgainst(info, infoHashOf(info));
    expect(await run.waitForExit(15_000)).toBe(7);
    expect(run.text("stderr")).not.toMatch(/^\s+at /m);
    expect(readdirSync(cwd).filter((entry) => !entry.startsWith(".p2pfile.db"))).toEqual([]);
  });

  test.each([
    ["metadata with another hash", makeInfo("x", Buffer.from("a"), 16_384).info, undefined],
    ["bencode that hangs a careless decoder", Buffer.from("l-3:"), undefined],
    ["a metadata size of 1 GiB", makeInfo("x", Buffer.from("a"), 16_384).info, 2 ** 30],
    ["a negative metadata size", makeInfo("x", Buffer.from("a"), 16_384).info, -1],
  ])("B10, W19: a peer with %s is survived until --timeout", async (_, info, statedSize) => {
    const { run } = await runAgainst(info, HASH, statedSize);
    expect(await run.waitForExit(15_000)).toBe(6);
  });

  async function runAgainst(info: Uint8Array, infoHash: string, statedSize?: number) {
    const host = fixture.address();
    const peer = startRawPeer(host, infoHash, info, statedSize);
    fixture.onEnd(() => peer.close());
    const cwd = join(fixture.directory("outer"), "inner");
    mkdirSync(cwd);
    const magnet = magnetOf(infoHash, "x", [`${host}:${peer.port}`]);
    const run = runP2pfile(fixture, ["download", "--timeout", "4", magnet], { cwd, json: false });
    return { cwd, run };
  }
});
