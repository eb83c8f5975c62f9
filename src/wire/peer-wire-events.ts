// What a PeerWire tells the session about one peer.
import type { ExtendedHandshake } from "../core/format/extended-handshake.ts";
import type { InfoHash, PeerId } from "../core/torrent/ids.ts";
import type { Block, PeerFault, PeerMessage } from "../core/torrent/peer-message.ts";

export interface PeerHandshake {
  readonly infoHash: InfoHash;
  readonly peerId: PeerId;
  /** Only what the peer says; the fast extension is in use when we have said so too. */
  readonly fast: boolean;
  readonly dht: boolean;
  readonly extended: boolean;
}

/** Called from `receive` and `setGeometry` alone. A listener may call any method, `close` included. */
export interface PeerWireEvents {
  /** An incoming connection is answered with `handshake`, or closed, before this returns. */
  handshake(handshake: PeerHandshake): void;
  /** Everything but blocks, checked against the geometry. */
  message(message: PeerMessage): void;
  /** `payload` is valid during the call only. Whether the block was asked for is not known here. */
  block(block: Block, payload: Uint8Array): void;
  extendedHandshake(handshake: ExtendedHandshake): void;
  /** A message of one of the extensions given to the constructor; `payload` is valid during the call only. */
  extended(name: string, payload: Uint8Array): void;
  /** The peer's DHT port (BEP 5), 1..65535. */
  port(port: number): void;
  keepAlive?(): void;
  /** Once; the wire is dead and silent from then on. */
  fault(fault: PeerFault): void;
}
