// The three other clients of the tests: each on one loopback address, without trackers, port mapping or local discovery, so
// that nothing outside of 127.0.0.0/8 is contacted.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Child } from "./child.ts";
import type { TestFixture } from "./test-directory.ts";

/** BitTorrent and DHT port of every client: each has an address of its own. */
export const CLIENT_PORT = 6881;
const TRANSMISSION_RPC_PORT = 9091;
const PYTHON = "/usr/bin/python3";

/** The directory and the address of a client. */
export interface OtherClient {
  readonly child: Child;
  readonly directory: string;
  readonly address: string;
}

/** True when `program` can be run; false asks for a visible skip. @throws instead with P2PFILE_REQUIRE_PEERS=1. */
export function isInstalled(program: "libtorrent" | "aria2" | "transmission"): boolean {
  const installed =
    program === "libtorrent"
      ? Bun.spawnSync([PYTHON, "-c", "import libtorrent"], { stderr: "ignore" }).success
      : program === "aria2"
        ? Bun.which("aria2c") !== null
        : Bun.which("transmission-daemon") !== null && Bun.which("transmission-remote") !== null;
  if (!installed && process.env["P2PFILE_REQUIRE_PEERS"] === "1")
    throw new Error(`${program} is not installed`);
  return installed;
}

export interface LibtorrentOptions {
  readonly directory: string;
  readonly torrent?: string;
  readonly magnet?: string;
  /** Turns its DHT on, with this node to start from. */
  readonly dhtNode?: string;
}

export async function startLibtorrent(
  fixture: TestFixture,
  mode: "seed" | "download",
  options: LibtorrentOptions,
): Promise<OtherClient> {
  const ip = fixture.address();
  const script = join(import.meta.dir, "../interop/peers/libtorrent_peer.py");
  const command = [
    PYTHON,
    script,
    mode,
    "--ip",
    ip,
    "--port",
    String(CLIENT_PORT),
    "--dir",
    options.directory,
  ];
  if (options.torrent !== undefined) command.push("--torrent", options.torrent);
  if (options.magnet !== undefined) command.push("--magnet", options.magnet);
  if (options.dhtNode !== undefined) command.push("--dht-node", options.dhtNode);
  const child = fixture.spawn(command, { cwd: fixture.directory("libtorrent") });
  await child.waitForLine("stdout", /^ready \d+/);
  return { child, directory: options.directory, address: `${ip}:${CLIENT_PORT}` };
}

export interface Aria2Options {
  readonly directory: string;
  /** A .torrent file or a magnet. */
  readonly source: string;
  readonly dhtNode: string;
  /** Goes on seeding until it is ended; otherwise it exits when complete. */
  readonly seed: boolean;
}

export function startAria2(fixture: TestFixture, options: Aria2Options): OtherClient {
  const ip = fixture.address();
  const home = fixture.directory("aria2");
  const child = fixture.spawn(
    [
      "aria2c",
      "--no-conf=true",
      `--dir=${options.directory}`,
      `--interface=${ip}`,
      `--listen-port=${CLIENT_PORT}`,
      `--dht-listen-port=${CLIENT_PORT}`,
      "--enable-dht=true",
      "--enable-dht6=false",
      `--dht-entry-point=${options.dhtNode}`,
      `--dht-file-path=${join(home, "dht.dat")}`,
      "--enable-peer-exchange=true",
      "--bt-enable-lpd=false",
      "--disable-ipv6=true",
      "--file-allocation=none",
      "--summary-interval=1",
      "--bt-seed-unverified=true",
      "--console-log-level=notice",
      options.seed ? "--seed-ratio=0.0" : "--seed-time=0",
      options.source,
    ],
    { cwd: home, env: { HOME: home } },
  );
  return { child, directory: options.directory, address: `${ip}:${CLIENT_PORT}` };
}

export interface Transmission extends OtherClient {
  /** Adds a .torrent or a magnet. */
  add(source: string): Promise<void>;
  /** Waits until every torrent is complete. */
  waitUntilDone(timeoutMs: number): Promise<void>;
}

export async function startTransmission(fixture: TestFixture, directory: string): Promise<Transmission> {
  const ip = fixture.address();
  const config = fixture.directory("transmission");
  mkdirSync(directory, { recursive: true });
  const settings = {
    "bind-address-ipv4": ip,
    "bind-address-ipv6": "::1",
    "dht-enabled": false,
    "download-dir": directory,
    encryption: 0,
    "incomplete-dir-enabled": false,
    "lpd-enabled": false,
    "peer-port": CLIENT_PORT,
    "peer-port-random-on-start": false,
    "pex-enabled": true,
    "port-forwarding-enabled": false,
    "ratio-limit-enabled": false,
    "rpc-authentication-required": false,
    "rpc-bind-address": ip,
    "rpc-host-whitelist-enabled": false,
    "rpc-port": TRANSMISSION_RPC_PORT,
    "rpc-whitelist-enabled": false,
    "trash-original-torrent-files": false,
    "utp-enabled": false,
  };
  writeFileSync(join(config, "settings.json"), JSON.stringify(settings));
  const child = fixture.spawn(["transmission-daemon", "--foreground", "--log-info", "--config-dir", config], {
    cwd: config,
    env: { HOME: config, CURL_CA_BUNDLE: "/dev/null" },
  });
  const remote = (...args: string[]) =>
    runToEnd(["transmission-remote", `${ip}:${TRANSMISSION_RPC_PORT}`, ...args]);
  await poll("transmission's RPC port", 20_000, async () =>
    (await remote("--session-info")).includes("Listenport"),
  );
  return {
    child,
    directory,
    address: `${ip}:${CLIENT_PORT}`,
    async add(source) {
      const answer = await remote("--add", source);
      if (!answer.includes("success")) throw new Error(`transmission-remote --add: ${answer}`);
    },
    async waitUntilDone(timeoutMs) {
      await poll("transmission to be done", timeoutMs, async () => {
        const info = await remote("--torrent", "all", "--info");
        return /Percent Done: 100%/.test(info);
      });
    },
  };
}

async function runToEnd(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return out + error;
}

async function poll(what: string, timeoutMs: number, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await Bun.sleep(200);
  }
}
