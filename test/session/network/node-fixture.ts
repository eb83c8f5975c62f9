// A real node on loopback with a torrent or more, and peers with plain sockets that send what a test wants.
import { afterEach, expect } from "bun:test";
import type { Socket } from "bun";
import { infoHashOf } from "../../../src/core/torrent/ids.ts";
import type { PeerAddress } from "../../../src/core/format/peer-address.ts";
import { silentLogger } from "../../helpers/silent-logger.ts";
import { Node, type NodeStart } from "../../../src/session/network/node.ts";
import { Swarm } from "../../../src/session/network/swarm.ts";
import { frame, handshakeBytes } from "../../wire/wire-end.ts";

export const HOST = `127.9.${process.pid % 250}.7`;
/** The host of peers unless it is given. */
export const PEER_HOST = "127.0.0.1";

/** Run after each test, last in first out. */
export const cleanups: (() => Promise<void> | void)[] = [];

/** To be called at the top of a test file. */
export function useNodeFixture(): void {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
}

export async function startNode(bootstrap: NodeStart["bootstrap"] = []): Promise<Node> {
  const node = await Node.start({
    options: {
      ip: HOST,
      port: undefined,
      portRange: { first: 42070, last: 42099 },
      peers: [],
      allow: [],
      uploadLimit: 0,
      downloadLimit: 0,
    },
    keptPort: undefined,
    bootstrap,
    logger: silentLogger,
  });
  cleanups.push(() => node.close());
  return node;
}

/** A torrent whose metadata is not known yet; its info hash is the byte `torrent` twenty times. */
export function startSwarm(
  node: Node,
  pinned: readonly { host: string; port: number }[] = [],
  torrent = 5,
): Swarm {
  const swarm = new Swarm({
    node,
    infoHash: infoHashOf(new Uint8Array(20).fill(torrent)),
    infoDict: undefined,
    pinned: pinned.map((address) => ({ address, source: "flag" as const })),
    state: "leeching",
    destination: "00".repeat(8),
    hostsPerAddress: 1,
    onMetadata: () => {},
    onFirstPeer: () => {},
  });
  node.add(swarm);
  return swarm;
}

/** A handshake for the torrent whose info hash is the one byte twenty times, from the peer whose id is the other. */
function handshakeOf(torrent: number, peerId: number): Uint8Array {
  const bytes = handshakeBytes().slice();
  bytes.fill(torrent, 28, 48);
  bytes.fill(peerId, 48, 68);
  return bytes;
}

/** A peer that is dialled, and answers each connection with a handshake. */
export class ListeningPeer {
  isClosed = false;
  readonly address: PeerAddress;

  constructor(host: string, torrent: number, peerId: number) {
    const listener = Bun.listen({
      hostname: host,
      port: 0,
      socket: {
        open: (socket) => void socket.write(handshakeOf(torrent, peerId)),
        data: () => {},
        close: () => void (this.isClosed = true),
      },
    });
    this.address = { host, port: listener.port };
    cleanups.push(() => listener.stop(true));
  }
}

export class LoopbackPeer {
  heard = 0;
  isClosed = false;
  #socket: Socket | undefined;

  static async connect(node: Node, from = PEER_HOST): Promise<LoopbackPeer> {
    const peer = new LoopbackPeer();
    const source: { localAddress: string } = { localAddress: from };
    peer.#socket = await Bun.connect({
      ...source,
      hostname: node.address.host,
      port: node.address.port,
      socket: {
        data: (_socket, chunk) => void (peer.heard += chunk.length),
        close: () => void (peer.isClosed = true),
        error: () => {},
      },
    });
    cleanups.push(() => void peer.#socket?.end());
    return peer;
  }

  /** Reads no more. */
  pause(): void {
    this.#socket?.pause();
  }

  leave(): void {
    this.#socket?.end();
  }

  send(bytes: Uint8Array | string): void {
    this.#socket?.write(bytes);
  }

  /** A whole handshake for the torrent whose info hash is this byte twenty times. */
  sendHandshake(torrent: number, peerId = 1): void {
    this.send(handshakeOf(torrent, peerId));
  }

  /** An extension handshake with this listen port (BEP 10), or without one. */
  sendPort(port: number | undefined): void {
    const text = port === undefined ? "d1:mdee" : `d1:mde1:pi${port}ee`;
    this.send(frame(20, [0, ...new TextEncoder().encode(text)]));
  }
}

export async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !isSo(); i++) await Bun.sleep(1);
  expect(isSo()).toBe(true);
}
