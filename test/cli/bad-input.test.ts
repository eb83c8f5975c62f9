// Golden messages: every wrong command line is one line on stderr and exit code 2, and no session starts.
import { describe, expect, test } from "bun:test";
import { runCaptured } from "./fake-environment.ts";

const magnet = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567";

const cases: readonly (readonly [argv: readonly string[], message: string])[] = [
  [["serv", "x"], "unknown command 'serv'; did you mean 'serve'?"],
  [["frobnicate"], "unknown command 'frobnicate'; see 'p2pfile --help'"],
  [["a\u001b[31mb"], "unknown command 'a\\u{1b}[31mb'; see 'p2pfile --help'"],
  [["--json", "serve", "x"], "--json: flags stand after the command ('p2pfile serve …')"],
  [["--nope"], "--nope: unknown flag; see 'p2pfile --help'"],
  [["help", "downlod"], "unknown command 'downlod'; did you mean 'download'?"],
  [["help", "serve", "x"], "help: unexpected argument 'x'"],
  [["completion"], "completion: SHELL is missing; see 'p2pfile completion --help'"],
  [["completion", "csh"], "completion: 'csh' is not bash, zsh, fish, powershell; did you mean zsh?"],
  [["completion", "tcl"], "completion: 'tcl' is not bash, zsh, fish, powershell"],
  [["completion", "bash", "zsh"], "completion: unexpected argument 'zsh'"],
  [["serve"], "serve: FILE is missing; see 'p2pfile serve --help'"],
  [["serve", "--json"], "serve: FILE is missing; see 'p2pfile serve --help'"],
  [["serve", "--"], "serve: FILE is missing; see 'p2pfile serve --help'"],
  [["download"], "download: MAGNET is missing; see 'p2pfile download --help'"],
  [["serve", "x", "--uplod-limit", "5"], "--uplod-limit: unknown flag; did you mean --upload-limit?"],
  [["serve", "x", "--upload"], "--upload: unknown flag; did you mean --upload-limit?"],
  [["serve", "x", "--uploadLimit=5"], "--uploadLimit: unknown flag; did you mean --upload-limit?"],
  [["serve", "x", "-p", "5"], "-p: unknown flag; see 'p2pfile serve --help'"],
  [["serve", "x", "--xyzzy=1"], "--xyzzy: unknown flag; see 'p2pfile serve --help'"],
  [["serve", "x", "--seeding"], "--seeding: 'serve' does not have this flag, 'download' has"],
  [["serve", "x", "-o", "d"], "-o: unknown flag; see 'p2pfile serve --help'"],
  [["download", magnet, "--magnet", "m"], "--magnet: 'download' does not have this flag, 'serve' has"],
  [["download", magnet, "--no-port"], "--no-port: unknown flag; did you mean --port?"],
  [["download", magnet, "--version"], "--version: unknown flag; see 'p2pfile download --help'"],
  [["serve", "x", "--port"], "--port: a value is missing (--port=N)"],
  [["serve", "x", "--port", "--json"], "--port: a value is missing (--port=N)"],
  [["download", magnet, "-o"], "-o: a value is missing (-o PATH)"],
  [["serve", "x", "--debug=yes"], "--debug: takes no value (--debug or --no-debug)"],
  [["serve", "x", "--port", "x"], "--port: 'x' is not a port number (1-65535)"],
  [["serve", "x", "--port="], "--port: '' is not a port number (1-65535)"],
  [["serve", "x", "--port", "0"], "--port: '0' is not a port number (1-65535)"],
  [["serve", "x", "--port", "65536"], "--port: '65536' is not a port number (1-65535)"],
  [["serve", "x", "--port", "-1"], "--port: '-1' is not a port number (1-65535)"],
  [["serve", "x", "--port", "1e3"], "--port: '1e3' is not a port number (1-65535)"],
  [
    ["serve", "x", "--port-range", "42099-42070"],
    "--port-range: '42099-42070' is not a range of ports (42070-42099)",
  ],
  [["serve", "x", "--port-range", "42070"], "--port-range: '42070' is not a range of ports (42070-42099)"],
  [["serve", "x", "--port-range", "1-2-3"], "--port-range: '1-2-3' is not a range of ports (42070-42099)"],
  [["serve", "x", "--ip", "::1"], "--ip: '::1' is not an IPv4 address of this machine (10.1.1.1)"],
  ...["8.0.0.0/7", "192.0.2.0", "192.0.2.0/33", "127.0.0.0/8", "224.0.0.0/8", "0.0.0.0/8", "fe80::/64"].map(
    (cidr): [string[], string] => [
      ["serve", "x", "--allow", "192.0.2.0/24", "--allow", cidr],
      `--allow: '${cidr}' is not an IPv4 network with 8 to 32 bits (192.0.2.0/24)`,
    ],
  ),
  [["serve", "x", "--ip", "host"], "--ip: 'host' is not an IPv4 address of this machine (10.1.1.1)"],
  [["serve", "x", "--ip", "0.0.0.0"], "--ip: '0.0.0.0' is not an IPv4 address of this machine (10.1.1.1)"],
  [
    ["serve", "x", "--ip", "255.255.255.255"],
    "--ip: '255.255.255.255' is not an IPv4 address of this machine (10.1.1.1)",
  ],
  [
    ["serve", "x", "--ip", "10.1.1.256"],
    "--ip: '10.1.1.256' is not an IPv4 address of this machine (10.1.1.1)",
  ],
  [
    ["serve", "x", "--peers", "10.1.1.1"],
    "--peers: '10.1.1.1' is not an IPv4 address and port (10.1.1.1:42083)",
  ],
  [
    ["serve", "x", "--peers", "10.1.1.1:5, 10.1.1.2:0"],
    "--peers: '10.1.1.2:0' is not an IPv4 address and port (10.1.1.1:42083)",
  ],
  [
    ["serve", "x", "--peers", "[::1]:5"],
    "--peers: '[::1]:5' is not an IPv4 address and port (10.1.1.1:42083)",
  ],
  [
    ["serve", "x", "--peers", Array.from({ length: 101 }, (_, i) => `10.1.1.1:${i + 1}`).join(",")],
    "--peers: '101 addresses (at most 100)' is not an IPv4 address and port (10.1.1.1:42083)",
  ],
  [
    ["serve", "x", "--upload-limit", "fast"],
    "--upload-limit: 'fast' is not a rate in MiB/s (a number, 0 or more; 0 is unlimited)",
  ],
  [
    ["serve", "x", "--upload-limit", "-5"],
    "--upload-limit: '-5' is not a rate in MiB/s (a number, 0 or more; 0 is unlimited)",
  ],
  [
    ["serve", "x", "--upload-limit", "50MiB"],
    "--upload-limit: '50MiB' is not a rate in MiB/s (a number, 0 or more; 0 is unlimited)",
  ],
  [
    ["serve", "x", "--upload-limit", "Infinity"],
    "--upload-limit: 'Infinity' is not a rate in MiB/s (a number, 0 or more; 0 is unlimited)",
  ],
  [
    ["serve", "x", "--download-limit", "9".repeat(100)],
    `--download-limit: '${"9".repeat(79)}…' is not a rate in MiB/s (a number, 0 or more; 0 is unlimited)`,
  ],
  [["serve", "x", "y", "--magnet", magnet], "--magnet: goes with exactly one FILE"],
  [["serve", "x", "--magnet="], "--magnet: '' is not a magnet URI"],
  [["serve", "x", "--config="], "--config: '' is not a file"],
  [["serve", "x", "--until-done", "0"], "--until-done: '0' is not a number of hosts (1-16384)"],
  [["serve", "x", "--until-done", "1.5"], "--until-done: '1.5' is not a number of hosts (1-16384)"],
  [["serve", "x", "--until-done", "16385"], "--until-done: '16385' is not a number of hosts (1-16384)"],
  [
    ["download", magnet, "--until-done", "3"],
    "--until-done: 'download' does not have this flag, 'serve' has",
  ],
  [["download", magnet, "--dir", ""], "--dir: '' is not a directory"],
  [["download", magnet, "--seeding-ratio", "1:2"], "--seeding-ratio: '1:2' is not a ratio (1.5 or 150%)"],
  [["download", magnet, "--seeding-ratio", "%"], "--seeding-ratio: '%' is not a ratio (1.5 or 150%)"],
  [
    ["download", magnet, "--seeding-time", "1m"],
    "--seeding-time: '1m' is not a number of seconds (0-2147483)",
  ],
  [
    ["download", magnet, "--timeout", "2147484"],
    "--timeout: '2147484' is not a number of seconds (0-2147483)",
  ],
];

describe("A wrong command line is one line and exit code 2", () => {
  for (const [argv, message] of cases) {
    test(`p2pfile ${argv.join(" ")}`.slice(0, 90).replaceAll("\u001b", "ESC"), async () => {
      const result = await runCaptured(argv);
      expect(result.stderr).toBe(`p2pfile: ${message}\n`);
      expect(result.exitCode).toBe(2);
      expect(result.stdout).toBe("");
      expect(result.served ?? result.downloaded).toBeUndefined();
    });
  }

  test("no command at all is the usage on stderr", async () => {
    const result = await runCaptured([]);
    expect(result.exitCode).toBe(2);
    expect(result.stdout).toBe("");
    expect(result.stderr).toContain("USAGE p2pfile");
  });

  test("a refused text of 80 letters is quoted whole, a longer one cut", async () => {
    const stderr = async (length: number) =>
      (await runCaptured(["serve", "x", "--port", "x".repeat(length)])).stderr;
    expect(await stderr(80)).toStartWith(`p2pfile: --port: '${"x".repeat(80)}' `);
    expect(await stderr(81)).toStartWith(`p2pfile: --port: '${"x".repeat(79)}…' `);
  });

  test("a flag in front of the command is named with its value and its owner", async () => {
    expect((await runCaptured(["--dir=/a=b", "download"])).stderr).toBe(
      "p2pfile: --dir=/a=b: flags stand after the command ('p2pfile download …')\n",
    );
  });

  test("a switch in a variable is true or false", async () => {
    const { stderr, downloaded } = await runCaptured(["download", magnet], {
      variables: { P2PFILE_SEEDING: "maybe" },
    });
    expect(stderr).toBe("p2pfile: P2PFILE_SEEDING: 'maybe' is not true or false\n");
    expect(downloaded).toBeUndefined();
  });

  test("P2PFILE_DEBUG adds the stack too, --debug after -- does not", async () => {
    const stderr = async (variables: Record<string, string>, ...argv: string[]) =>
      (await runCaptured(["serve", "x", "--port", "x", ...argv], { variables })).stderr;
    expect(await stderr({ P2PFILE_DEBUG: "1" })).toContain("\nUsageError");
    expect(await stderr({ P2PFILE_DEBUG: "0" })).not.toContain("\nUsageError");
    expect(await stderr({}, "--", "--debug")).not.toContain("\nUsageError");
    expect(await stderr({}, "--debug", "--", "x")).toContain("\nUsageError");
  });

  test("--debug adds the stack below the line", async () => {
    const result = await runCaptured(["serve", "x", "--port", "x", "--debug"]);
    const [first, second] = result.stderr.split("\n");
    expect(first).toBe("p2pfile: --port: 'x' is not a port number (1-65535)");
    expect(second).toStartWith("UsageError");
    expect(result.stderr).toContain("    at ");
  });
});

describe("What looks like a flag but is none", () => {
  test("after -- everything is a file", async () => {
    const { served } = await runCaptured(["serve", "--debug", "--", "--port", "-x", "--"]);
    expect(served?.files).toEqual(["--port", "-x", "--"]);
  });

  test("several magnets are one download each", async () => {
    const magnets = [magnet, magnet.replace("0123", "4567")];
    expect((await runCaptured(["download", ...magnets])).downloaded?.magnets).toEqual(magnets);
  });

  test("a value after = may start with a dash", async () => {
    expect((await runCaptured(["download", magnet, "--dir=--odd"])).downloaded?.directory).toBe("--odd");
    expect((await runCaptured(["download", magnet, "-o-odd"])).downloaded?.output).toBe("-odd");
    expect((await runCaptured(["download", magnet, "-o=here"])).downloaded?.output).toBe("here");
  });

  test("files named like commands, members of Object or citty's own keys stay files", async () => {
    const files = ["serve", "help", "__proto__", "constructor", "_", "no-debug", "-"];
    expect((await runCaptured(["serve", ...files])).served?.files).toEqual(files);
  });

  test("flags named like members of Object are unknown", async () => {
    for (const flag of ["--__proto__", "--constructor=1", "--toString"]) {
      expect((await runCaptured(["serve", "x", flag])).stderr).toContain("unknown flag");
    }
  });

  test("the last of two equal flags counts, and lists of peers are joined", async () => {
    const argv = [
      "serve",
      "x",
      "--port",
      "5",
      "--peers",
      "10.0.0.1:1",
      "--port=6",
      "--peers=10.0.0.2:2,10.0.0.1:1",
    ];
    const { served } = await runCaptured(argv);
    expect(served?.port).toBe(6);
    expect(served?.peers).toEqual([
      { host: "10.0.0.1", port: 1 },
      { host: "10.0.0.2", port: 2 },
    ]);
  });
});

describe("The greatest and the least that is taken", () => {
  const served = async (...argv: string[]) => (await runCaptured(["serve", "x", ...argv])).served;
  const downloaded = async (...argv: string[]) =>
    (await runCaptured(["download", magnet, ...argv])).downloaded;

  test("of --ip is 1.0.0.0 and below 224.0.0.0", async () => {
    expect((await served("--ip", "1.0.0.0"))?.ip).toBe("1.0.0.0");
    expect((await served("--ip", "223.255.255.255"))?.ip).toBe("223.255.255.255");
    expect(await served("--ip", "224.0.0.0")).toBeUndefined();
  });

  test("of --peers is 100 addresses, each one that a host can have", async () => {
    const peers = Array.from({ length: 100 }, (_, i) => `10.1.1.1:${i + 1}`);
    expect((await served("--peers", peers.join(",")))?.peers).toHaveLength(100);
    expect((await served("--peers", [...peers, peers[0]].join(",")))?.peers).toHaveLength(100);
    for (const bad of ["0.0.0.1:5", "224.0.0.1:5", "10.1.1.1:5,255.255.255.255:1"])
      expect(await served("--peers", bad)).toBeUndefined();
  });

  test("of a time is 2147483 seconds", async () => {
    expect((await downloaded("--timeout", "2147483"))?.timeoutSeconds).toBe(2147483);
    expect((await downloaded("--timeout", "0"))?.timeoutSeconds).toBe(0);
  });

  test("of a rate is what is a whole number of bytes, and little never becomes unlimited", async () => {
    expect((await served("--upload-limit", "8589934591"))?.uploadLimit).toBe(8589934591 * 2 ** 20);
    expect(await served("--upload-limit", "8589934592")).toBeUndefined();
    expect((await served("--upload-limit", "0.0"))?.uploadLimit).toBe(0);
    expect(await served("--upload-limit", `0.${"0".repeat(400)}1`)).toBeUndefined();
  });

  test("of a ratio is any number, also in per cent", async () => {
    expect((await downloaded("--seeding-ratio", "150%"))?.seedingRatio).toBe(1.5);
    expect((await downloaded("--seeding-ratio", "0"))?.seedingRatio).toBe(0);
  });

  test("of --port-range is a single port", async () => {
    expect((await served("--port-range", "7-7"))?.portRange).toEqual({ first: 7, last: 7 });
    for (const bad of ["8-7", "7-", "-7", "0-7", "7-65536"])
      expect(await served(`--port-range=${bad}`)).toBeUndefined();
  });
});
