// How fast blocks move between two processes on loopback through TcpConnection and PeerWire: from memory, without disk
// and without hashing. Prints one line per side. Usage: bun bench/wire.ts [MiB] [window]
import { Geometry } from "../src/core/geometry.ts";
import { parseInfoHash, type PeerId, peerIdOf } from "../src/core/ids.ts";
import { BLOCK_LENGTH } from "../src/core/limits.ts";
import type { Block } from "../src/core/peer-message.ts";
import { MiB } from "../src/lib/units.ts";
import { listen } from "../src/net/tcp-listener.ts";
import { dial } from "../src/net/tcp-dialer.ts";
import type { TcpConnection } from "../src/net/tcp-connection.ts";
import { PeerWire } from "../src/wire/peer-wire.ts";
import type { PeerWireEvents } from "../src/wire/peer-wire-events.ts";

const [role = "both", ...rest] = Bun.argv.slice(2);
const isParent = role !== "seed" && role !== "leech";
const [sizeMiB, window, port] = (isParent ? Bun.argv.slice(2) : rest).map(Number);
const geometry = new Geometry((sizeMiB ?? 1024) * MiB, MiB);
const infoHash = parseInfoHash("0123456789abcdef0123456789abcdef01234567");
if (infoHash === undefined) throw new Error("a bad constant");
const wantedWindow = window ?? 256;
const onBug = (error: unknown): never => {
  throw error;
};

const ignore: PeerWireEvents = {
  handshake() {},
  message() {},
  block() {},
  extendedHandshake() {},
  extended() {},
  port() {},
  fault: (fault) => onBug(new Error(fault)),
};

function join(connection: TcpConnection, events: Partial<PeerWireEvents>, onClose: () => void): PeerWire {
  const { direction, output } = connection;
  const wire = new PeerWire({ direction, sink: output, events: { ...ignore, ...events } });
  connection.attach({ onData: (chunk) => wire.receive(chunk), onDrained: () => wire.drained(), onClose });
  return wire;
}

function id(byte: number): PeerId {
  return peerIdOf(new Uint8Array(20).fill(byte));
}

function report(side: string, started: number): void {
  const seconds = (performance.now() - started) / 1000;
  const cpu = process.cpuUsage();
  const rate = geometry.length / 1e6 / seconds;
  console.log(
    `${side.padEnd(6)} ${rate.toFixed(0)} MB/s  CPU ${((cpu.user + cpu.system) / 1e6).toFixed(2)} s` +
      ` (user ${(cpu.user / 1e6).toFixed(2)})  RSS ${(process.memoryUsage.rss() / MiB).toFixed(0)} MiB`,
  );
}

function seed(): void {
  const content = crypto.getRandomValues(new Uint8Array(BLOCK_LENGTH));
  const listener = listen({
    host: "127.0.0.1",
    port: 0,
    onBug,
    onConnection: (connection) => {
      const started = performance.now();
      const wire = join(
        connection,
        {
          handshake: () => {
            if (infoHash !== undefined) wire.handshake(infoHash, id(1));
            wire.setGeometry(geometry);
            wire.send({ type: "haveAll" });
            wire.send({ type: "unchoke" });
          },
          message: (message) => {
            if (message.type === "request") wire.sendBlock(message.block, content);
          },
        },
        () => {
          report("seed", started);
          listener.close();
        },
      );
    },
  });
  console.log(listener.address.port);
}

async function leech(port: number): Promise<void> {
  const result = await dial({ address: { host: "127.0.0.1", port }, timeoutMs: 1000, onBug });
  if (result.type === "failed") throw new Error(result.code);
  const { connection } = result;
  const target = new Uint8Array(MiB);
  const perPiece = MiB / BLOCK_LENGTH;
  const total = geometry.length / BLOCK_LENGTH;
  let asked = 0;
  let got = 0;
  const started = performance.now();
  const ask = (): void => {
    while (asked < total && asked - got < wantedWindow) {
      const piece = geometry.piece(Math.floor(asked / perPiece));
      if (piece === undefined) return;
      wire.send({ type: "request", block: geometry.block(piece, asked % perPiece) });
      asked++;
    }
  };
  const wire = join(
    connection,
    {
      handshake: () => wire.setGeometry(geometry),
      message: (message) => {
        if (message.type === "unchoke") ask();
      },
      block: (block: Block, payload) => {
        target.set(payload, block.begin);
        got++;
        if (got === total) connection.close();
        else ask();
      },
    },
    () => report("leech", started),
  );
  if (infoHash !== undefined) wire.handshake(infoHash, id(2));
  connection.flush();
}

async function both(): Promise<void> {
  const options = [String(sizeMiB ?? 1024), String(wantedWindow)];
  const seeder = Bun.spawn([process.execPath, import.meta.path, "seed", ...options], { stdout: "pipe" });
  const lines = seeder.stdout.pipeThrough(new TextDecoderStream());
  const reader = lines.getReader();
  const port = ((await reader.read()).value ?? "").trim();
  const leecher = Bun.spawn([process.execPath, import.meta.path, "leech", ...options, port], {
    stdout: "inherit",
  });
  await leecher.exited;
  process.stdout.write((await reader.read()).value ?? "");
  await seeder.exited;
}

if (role === "seed") seed();
else if (role === "leech") await leech(port ?? 0);
else await both();
