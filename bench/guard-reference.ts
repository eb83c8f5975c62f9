// The yardstick of the CPU guard: the least that a program on Bun does to bring a file from one place to another. It
// reads the file, pushes it through a plain TCP connection to itself, hashes what arrives and writes it to a file, all
// in one thread. Never made faster or slower: the pinned ratios rest on it.
// Arguments: the file, and where it goes. Ends with 0 when all of it has arrived.
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { KiB } from "../src/lib/units.ts";

const CHUNK_LENGTH = 256 * KiB;
const [source = "", target = ""] = process.argv.slice(2);
const input = openSync(source, "r");
const output = openSync(target, "wx");
const { size } = fstatSync(input);
const hash = new Bun.SHA1();
const chunk = new Uint8Array(CHUNK_LENGTH);
/** What of the chunk the socket has not taken yet. */
let rest = chunk.subarray(0, 0);
let received = 0;

function push(socket: Bun.Socket): void {
  for (;;) {
    if (rest.length === 0) rest = chunk.subarray(0, readSync(input, chunk));
    if (rest.length === 0) return;
    const taken = socket.write(rest);
    rest = rest.subarray(Math.max(0, taken));
    if (rest.length > 0) return;
  }
}

function take(bytes: Uint8Array): void {
  hash.update(bytes);
  writeSync(output, bytes);
  received += bytes.length;
  if (received < size) return;
  hash.digest();
  closeSync(output);
  process.exit(0);
}

const listener = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: { open: push, drain: push, data() {} },
});
await Bun.connect({
  hostname: "127.0.0.1",
  port: listener.port,
  socket: { data: (_socket, bytes) => take(bytes) },
});
