// Runs on the seed's machine (in its network namespace) and reads the kernel's counters of what left towards each leech,
// every few milliseconds, until it is told to end by SIGTERM. Knows nothing of p2pfile.
// Arguments: interfaces. Answer: `ready`, and at the end a JSON list of samples, [ms, bytes, bytes, …].
import { openSync, readSync } from "node:fs";

const INTERVAL_MS = 5;
/** Bytes of the headers of a packet without payload: Ethernet, IP, TCP with the time stamp option. */
const HEADER_LENGTH = 14 + 20 + 32;

const links = process.argv.slice(2).map((name) => {
  const counter = (file: string) => openSync(`/sys/class/net/${name}/statistics/${file}`, "r");
  return { bytes: counter("tx_bytes"), packets: counter("tx_packets") };
});
const text = new Uint8Array(32);
const samples: number[][] = [];

function read(fd: number): number {
  const length = readSync(fd, text, 0, text.length, 0);
  return Number.parseInt(new TextDecoder().decode(text.subarray(0, length)), 10);
}

/** What the sockets sent, which is what a limit counts: a packet in flight here may be 64 KiB with one set of headers. */
function take(): void {
  const at = performance.now();
  samples.push([at, ...links.map((link) => read(link.bytes) - HEADER_LENGTH * read(link.packets))]);
  setTimeout(take, INTERVAL_MS);
}

process.on("SIGTERM", () => {
  process.stdout.write(`${JSON.stringify(samples)}\n`, () => process.exit(0));
});
take();
process.stdout.write("ready\n");
