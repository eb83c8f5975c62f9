// Where each setting comes from: flag over variable over configuration file over default, for every flag there is.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settingsOf } from "../../src/cli/command-table.ts";
import { allCommands } from "../../src/cli/commands/all-commands.ts";
import { variableName } from "../../src/cli/settings/layered-values.ts";
import { runCaptured } from "./fake-environment.ts";

const MiB = 1024 * 1024;
const magnet = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567";
const peer = (last: number) => ({ host: `10.0.0.${last}`, port: last });

interface Row {
  readonly flag: string;
  readonly command: "serve" | "download";
  /** The key in ServeOptions or DownloadOptions. */
  readonly option: string;
  readonly default: unknown;
  /** Three different texts, and what they decode to, for flag, variable and file. */
  readonly texts: readonly [string, string, string];
  readonly values: readonly [unknown, unknown, unknown];
}

const shared: readonly Omit<Row, "command">[] = [
  {
    flag: "ip",
    option: "ip",
    default: undefined,
    texts: ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
    values: ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
  },
  {
    flag: "port",
    option: "port",
    default: undefined,
    texts: ["1", "2000", "65535"],
    values: [1, 2000, 65535],
  },
  {
    flag: "port-range",
    option: "portRange",
    default: { first: 42070, last: 42099 },
    texts: ["1-2", "5-5", "1000 - 65535"],
    values: [
      { first: 1, last: 2 },
      { first: 5, last: 5 },
      { first: 1000, last: 65535 },
    ],
  },
  {
    flag: "peers",
    option: "peers",
    default: [],
    texts: ["10.0.0.1:1", "10.0.0.2:2, 10.0.0.3:3", "10.0.0.4:4"],
    values: [[peer(1)], [peer(2), peer(3)], [peer(4)]],
  },
  {
    flag: "allow",
    option: "allow",
    default: [],
    texts: ["192.0.2.0/24", "198.51.100.0/24, 8.0.0.0/8", "203.0.113.7/32"],
    values: [["192.0.2.0/24"], ["198.51.100.0/24", "8.0.0.0/8"], ["203.0.113.7/32"]],
  },
  {
    flag: "upload-limit",
    option: "uploadLimit",
    default: 0,
    texts: ["50", "0.5", "0.0000000001"],
    values: [50 * MiB, MiB / 2, 1],
  },
  {
    flag: "download-limit",
    option: "downloadLimit",
    default: 0,
    texts: ["1.", ".25", "7"],
    values: [MiB, MiB / 4, 7 * MiB],
  },
];

const rows: readonly Row[] = [
  ...(["serve", "download"] as const).flatMap((command) =>
    shared.map((row) => Object.assign({ command }, row)),
  ),
  {
    flag: "magnet",
    command: "serve",
    option: "magnet",
    default: undefined,
    texts: ["a", "b", "c"],
    values: ["a", "b", "c"],
  },
  {
    flag: "dir",
    command: "download",
    option: "directory",
    default: ".",
    texts: ["a", "b", "c"],
    values: ["a", "b", "c"],
  },
  {
    flag: "output",
    command: "download",
    option: "output",
    default: undefined,
    texts: ["a", "b/", "c"],
    values: ["a", "b/", "c"],
  },
  {
    flag: "until-done",
    command: "serve",
    option: "untilDone",
    default: undefined,
    texts: ["1", "20", "4095"],
    values: [1, 20, 4095],
  },
  {
    flag: "hosts-per-address",
    command: "serve",
    option: "hostsPerAddress",
    default: 1,
    texts: ["1", "30", "256"],
    values: [1, 30, 256],
  },
  {
    flag: "seeding-time",
    command: "download",
    option: "seedingSeconds",
    default: 60,
    texts: ["1", "0", "2.5"],
    values: [1, 0, 2.5],
  },
  {
    flag: "seeding-ratio",
    command: "download",
    option: "seedingRatio",
    default: 1,
    texts: ["150%", "0", "2.5"],
    values: [1.5, 0, 2.5],
  },
  {
    flag: "timeout",
    command: "download",
    option: "timeoutSeconds",
    default: 0,
    texts: ["1", "2", "3"],
    values: [1, 2, 3],
  },
];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "p2pfile-precedence-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

async function decode(command: string, argv: readonly string[], variables = {}, config?: string) {
  rmSync(join(directory, ".p2pfile.yaml"), { force: true });
  if (config !== undefined) writeFileSync(join(directory, ".p2pfile.yaml"), config);
  const positional = command === "serve" ? "file" : magnet;
  const result = await runCaptured([command, positional, ...argv], { home: directory, variables });
  const options: Record<string, unknown> = { ...(result.served ?? result.downloaded) };
  return { ...result, options };
}

describe("Flag, then variable, then configuration file, then default", () => {
  for (const { flag, command, option, default: fallback, texts, values } of rows) {
    test(`${command} --${flag}`, async () => {
      const variables = { [variableName(flag)]: texts[1] };
      const config = `${flag}: "${texts[2]}"\n`;
      expect((await decode(command, [])).options[option]).toEqual(fallback);
      expect((await decode(command, [], {}, config)).options[option]).toEqual(values[2]);
      expect((await decode(command, [], variables, config)).options[option]).toEqual(values[1]);
      const all = await decode(command, [`--${flag}`, texts[0]], variables, config);
      expect(all.options[option]).toEqual(values[0]);
      expect(all.stderr.split("\n").filter((line) => line !== "" && !line.includes("no effect"))).toEqual([]);
      expect(all.exitCode).toBe(0);
      // A variable that is set to nothing is not set.
      expect((await decode(command, [], { [variableName(flag)]: "" }, config)).options[option]).toEqual(
        values[2],
      );
    });
  }

  test("download -o and --dir: the one that is set in the stronger place counts, and two in one place are refused", async () => {
    const output = async (...given: Parameters<typeof decode>) => (await decode(...given)).options["output"];
    expect(await output("download", ["-o", "a"], { P2PFILE_DIR: "d" }, "dir: d\n")).toBe("a");
    expect(await output("download", ["--dir", "d"], { P2PFILE_OUTPUT: "a" })).toBeUndefined();
    expect(await output("download", [], { P2PFILE_DIR: "d" }, "output: a\n")).toBeUndefined();
    expect(await output("download", [], { P2PFILE_OUTPUT: "a" }, "dir: d\n")).toBe("a");
    const { stderr, exitCode } = await decode("download", ["--dir", "d", "-o", "a"]);
    expect([stderr, exitCode]).toEqual(["p2pfile: --dir and -o: give one of them\n", 2]);
    expect((await decode("download", [], {}, "dir: d\noutput: a\n")).exitCode).toBe(2);
  });

  test("download --seeding", async () => {
    const seeding = async (...given: Parameters<typeof decode>) =>
      (await decode(...given)).options["seeding"];
    expect(await seeding("download", [])).toBe(false);
    expect(await seeding("download", [], {}, "seeding: true\n")).toBe(true);
    expect(await seeding("download", [], { P2PFILE_SEEDING: "off" }, "seeding: true\n")).toBe(false);
    expect(await seeding("download", ["--seeding"], { P2PFILE_SEEDING: "0" })).toBe(true);
    expect(await seeding("download", ["--no-seeding"], { P2PFILE_SEEDING: "1" }, "seeding: on\n")).toBe(
      false,
    );
  });

  test("--json", async () => {
    // The plain answers of a session that answers something tell which one it was.
    const sessions = {
      serve: async (_: unknown, context: { emit: (event: { type: "warning"; message: string }) => void }) => {
        context.emit({ type: "warning", message: "careful" });
        return 0 as const;
      },
      download: () => Promise.resolve(0 as const),
    };
    const isJson = async (argv: string[], variables: Record<string, string> = {}, config = "") => {
      writeFileSync(join(directory, ".p2pfile.yaml"), config);
      const result = await runCaptured(["serve", "x", ...argv], { home: directory, variables, sessions });
      return result.stdout.startsWith("{");
    };
    expect(await isJson([])).toBe(false);
    expect(await isJson([], {}, "json: true")).toBe(true);
    expect(await isJson([], { P2PFILE_JSON: "no" }, "json: true")).toBe(false);
    expect(await isJson(["--json"], { P2PFILE_JSON: "no" })).toBe(true);
    expect(await isJson(["--no-json"], { P2PFILE_JSON: "yes" })).toBe(false);
  });

  test("--debug", async () => {
    const stderr = async (argv: string[], variables = {}, config = "") => {
      writeFileSync(join(directory, ".p2pfile.yaml"), config);
      const sessions = {
        serve: async (_: unknown, context: { logger: { debug: (message: string) => void } }) => {
          context.logger.debug("in detail");
          return 0 as const;
        },
        download: () => Promise.resolve(0 as const),
      };
      return (await runCaptured(["serve", "x", ...argv], { home: directory, variables, sessions })).stderr;
    };
    expect(await stderr([])).toBe("");
    expect(await stderr([], {}, "debug: true")).toContain("in detail");
    expect(await stderr([], { P2PFILE_DEBUG: "false" }, "debug: true")).toBe("");
    expect(await stderr(["--debug"], { P2PFILE_DEBUG: "false" })).toContain("in detail");
    expect(await stderr(["--no-debug"], { P2PFILE_DEBUG: "true" })).toBe("");
  });

  test("--config names another file, P2PFILE_CONFIG too, and the flag wins", async () => {
    const [a, b] = [join(directory, "a.yaml"), join(directory, "b.yaml")];
    writeFileSync(a, "port: 1\n");
    writeFileSync(b, "port: 2\n");
    const variables = { P2PFILE_CONFIG: b };
    expect((await decode("serve", [], variables, "port: 3")).options["port"]).toBe(2);
    expect((await decode("serve", ["--config", a], variables, "port: 3")).options["port"]).toBe(1);
    const relative = await runCaptured(["serve", "x", "--config", "a.yaml"], { workingDirectory: directory });
    expect(relative.served?.port).toBe(1);
  });

  test("the tables above leave no flag out", () => {
    const covered = new Set([...rows.map((row) => row.flag), "seeding", "json", "debug", "config"]);
    expect(Object.keys(settingsOf(allCommands)).filter((flag) => !covered.has(flag))).toEqual([]);
  });
});

describe("A wrong value names where it stands", () => {
  test("in a variable", async () => {
    const { stderr, exitCode } = await decode("serve", [], { P2PFILE_UPLOAD_LIMIT: "x" });
    expect(stderr).toBe(
      "p2pfile: P2PFILE_UPLOAD_LIMIT: 'x' is not a rate in MiB/s (a number, 0 or more; 0 is unlimited)\n",
    );
    expect(exitCode).toBe(2);
  });

  test("in the configuration file", async () => {
    const { stderr, exitCode } = await decode("serve", [], {}, "port: http\n");
    expect(stderr).toBe(`p2pfile: ${directory}/.p2pfile.yaml: port: 'http' is not a port number (1-65535)\n`);
    expect(exitCode).toBe(2);
  });

  test("a wrong value that something stronger overrules does not matter", async () => {
    expect((await decode("serve", ["--port", "7"], { P2PFILE_PORT: "x" }, "port: y")).options["port"]).toBe(
      7,
    );
  });

  test("P2PFILE_IO is 'map' or 'pread'", async () => {
    const { stderr, exitCode } = await decode("serve", [], { P2PFILE_IO: "direct" });
    expect(stderr).toBe("p2pfile: P2PFILE_IO: 'direct' is not 'map' or 'pread'\n");
    expect(exitCode).toBe(2);
  });

  for (const link of ["tcp://10.96.0.7:42083", "udp://10.96.0.7:42083"]) {
    test(`C3: P2PFILE_PORT=${link}, the link of a Kubernetes service, is ignored with a warning`, async () => {
      const { stderr, exitCode, options } = await decode("serve", [], { P2PFILE_PORT: link }, "port: 5\n");
      expect(stderr).toBe(
        `p2pfile: warning: P2PFILE_PORT=${link} is the link of a Kubernetes service and no port number; ignored\n`,
      );
      expect([exitCode, options["port"]]).toEqual([0, 5]);
    });
  }

  test("a misspelled variable is a warning", async () => {
    const { stderr, exitCode } = await decode("serve", [], {
      P2PFILE_UPLOADLIMIT: "5",
      P2PFILE_HOME_OF_ANOTHER_TOOL: "x",
      P2PFILE_IO: "map",
    });
    expect(stderr).toBe(
      "p2pfile: warning: P2PFILE_UPLOADLIMIT is not a setting; did you mean P2PFILE_UPLOAD_LIMIT?\n",
    );
    expect(exitCode).toBe(0);
  });

  test("--seeding-time without --seeding is a warning", async () => {
    const { stderr } = await decode("download", ["--seeding-time", "5"]);
    expect(stderr).toBe("p2pfile: warning: --seeding-time has no effect without --seeding\n");
  });
});
