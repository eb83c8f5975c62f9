// One side of a transfer through TcpConnection and PeerWire: from memory to memory, without disk, hashes and session.
import { Geometry } from "../../src/core/torrent/geometry.ts";
import { type InfoHash, infoHashOf, type PeerId, peerIdOf } from "../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../src/core/torrent/limits.ts";
import type { Block } from "../../src/core/torrent/peer-message.ts";
import { MiB } from "../../src/lib/units.ts";
import type { TcpConnection } from "../../src/net/tcp-connection.ts";
import { dial } from "../../src/net/tcp-dialer.ts";
import { listen } from "../../src/net/tcp-listener.ts";
import type { PeerWireEvents } from "../../src/wire/peer-wire-events.ts";
import { PeerWire } from "../../src/wire/peer-wire.ts";
import { HOST } from "../contestants/contestant.ts";
import { sideArguments, startClock } from "./stream.ts";

const DIAL_TIMEOUT_MS = 1000;

const { role, size, window, port } = sideArguments();
const geometry = new Geometry(size, MiB);
const infoHash: InfoHash = infoHashOf(new Uint8Array(20).fill(3));

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

function peerId(byte: number): PeerId {
  return peerIdOf(new Uint8Array(20).fill(byte));
}

function seed(): void {
  const content = crypto.getRandomValues(new Uint8Array(BLOCK_LENGTH));
  const listener = listen({
    host: HOST,
    port: 0,
    onBug,
    onConnection: (connection) => {
      const stopClock = startClock();
      const wire = join(
        connection,
        {
          handshake: () => {
            wire.handshake(infoHash, peerId(1));
            wire.setGeometry(geometry);
            wire.send({ type: "haveAll" });
            wire.send({ type: "unchoke" });
          },
          message: (message) => {
            if (message.type === "request") wire.sendBlock(message.block, content);
          },
        },
        () => {
          stopClock();
          listener.close();
        },
      );
    },
  });
  console.log(`port ${listener.address.port}`);
}

async function leech(): Promise<void> {
  const result = await dial({ address: { host: HOST, port }, timeoutMs: DIAL_TIMEOUT_MS, onBug });
  if (result.type === "failed") throw new Error(result.code);
  const { connection } = result;
  const target = new Uint8Array(MiB);
  const perPiece = MiB / BLOCK_LENGTH;
  const total = geometry.length / BLOCK_LENGTH;
  let asked = 0;
  let got = 0;
  const stopClock = startClock();
  const ask = (): void => {
    while (asked < total && asked - got < window) {
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
    () => {
      if (got < total) throw new Error(`the connection ended after ${got} of ${total} blocks`);
      stopClock();
    },
  );
  wire.handshake(infoHash, peerId(2));
  connection.flush();
}

if (role === "seed") seed();
else await leech();
