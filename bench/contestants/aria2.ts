// aria2 to aria2. It takes the address of a peer from a tracker or the DHT alone, so it gets the smallest tracker
// there can be: this process answers its one question at once.
import { dirname } from "node:path";
import { versionOf } from "../lib/machine.ts";
import { CONTENT_NAME, type Contestant, freePort, HOST, waitForListener } from "./contestant.ts";

/** Of every aria2: nothing but the torrent, no limit on peers, blocks in the clear. */
export const ARIA2 = [
  "aria2c",
  "--no-conf=true",
  "--quiet=true",
  "--summary-interval=0",
  "--disable-ipv6=true",
  "--enable-dht=false",
  "--enable-dht6=false",
  "--bt-enable-lpd=false",
  "--bt-require-crypto=false",
  "--bt-min-crypto-level=plain",
  "--bt-max-peers=0",
  "--bt-request-peer-speed-limit=0",
  "--bt-save-metadata=false",
  "--file-allocation=none",
  "--disk-cache=64M",
  "--check-integrity=false",
] as const;

const PAIR = [...ARIA2, `--interface=${HOST}`, "--enable-peer-exchange=false"] as const;

export const aria2: Contestant = {
  name: "aria2",
  version: () => versionOf(["aria2c", "--version"], /^aria2 version (\S+)/m),
  async start({ content, torrent, spawnSeed }) {
    const [port, leechPort] = [freePort(), freePort()];
    const seedFlags = [
      `--dir=${dirname(content)}`,
      `--listen-port=${port}`,
      "--bt-seed-unverified=true",
      "--seed-ratio=0.0",
    ];
    const seed = spawnSeed([...PAIR, ...seedFlags, torrent]);
    await waitForListener(port, seed);
    const tracker = Bun.serve({ hostname: HOST, port: 0, fetch: () => new Response(replyWith(port)) });
    const leechFlags = [
      "--dir=.",
      `--listen-port=${leechPort}`,
      "--seed-time=0",
      "--bt-hash-check-seed=false",
      `--bt-tracker=http://${HOST}:${tracker.port}/announce`,
    ];
    return {
      seed,
      leech: [...PAIR, ...leechFlags, `--index-out=1=${CONTENT_NAME}`, torrent],
      close: () => tracker.stop(true),
    };
  },
};

/** A tracker's answer: one peer on HOST, compact (BEP 23). */
function replyWith(port: number): Uint8Array<ArrayBuffer> {
  const peer = Uint8Array.of(127, 0, 0, 1, port >> 8, port & 0xff);
  const head = new TextEncoder().encode("d8:intervali3600e5:peers6:");
  return new Uint8Array([...head, ...peer, "e".charCodeAt(0)]);
}
