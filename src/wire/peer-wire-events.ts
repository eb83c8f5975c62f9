// The events of a PeerWire.
import type { ExtendedHandshake } from "../core/format/extended-handshake.ts";
import type { InfoHash, PeerId } from "../core/torrent/ids.ts";
import type { Block, PeerFault, PeerMessage } from "../core/torrent/peer-message.ts";

export interface PeerHandshake {
  readonly infoHash: InfoHash;
  readonly peerId: PeerId;
  /** The peer's own bit (BEP 6); the extension is in use when both sides set it. */
  readonly fast: boolean;
  readonly dht: boolean;
  readonly extended: boolean;
}

/** Called from `receive` and `setGeometry` only. A listener may call any method, `close` included. */
export interface PeerWireEvents {
  /** On an incoming connection the listener calls `handshake` or `close` before it returns. */
  handshake(handshake: PeerHandshake): void;
  /** Every core message but blocks, checked against the geometry. */
  message(message: PeerMessage): void;
  /** `payload` is valid during the call only. The block may be unrequested. */
  block(block: Block, payload: Uint8Array): void;
  extendedHandshake(handshake: ExtendedHandshake): void;
  /** A message of one of the extensions given to the constructor; `payload` is valid during the call only. */
  extended(name: string, payload: Uint8Array): void;
  /** The peer's DHT port (BEP 5), 1..65535. */
  port(port: number): void;
  /** Called once; afterwards the wire is closed. */
  fault(fault: PeerFault): void;
}
