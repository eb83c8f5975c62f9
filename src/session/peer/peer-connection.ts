// One connected peer: its socket and its wire, what it said of itself, and when it was last heard. Passes messages to
// the torrent that owns it; closes once, for one reason.
import { type ExtendedHandshake, extendedHandshakeFields } from "../../core/format/extended-handshake.ts";
import { HOST_EXCHANGE } from "../../core/exchange/host-message.ts";
import type { InfoHash, PeerHandle, PeerId } from "../../core/torrent/ids.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_OUTPUT_BUFFER,
  STALLED_WRITE_MS,
} from "./limits.ts";
import { MAX_BLOCK_FRAME_LENGTH } from "../../wire/limits.ts";
import { toHex } from "../../lib/bytes.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import { BLOCK_HEADER_LENGTH } from "../../core/torrent/peer-message.ts";
import type { Block, PeerFault, PeerMessage } from "../../core/torrent/peer-message.ts";
import type { TcpConnection } from "../../net/tcp-connection.ts";
import type { PeerHandshake } from "../../wire/peer-wire-events.ts";
import { PeerWire } from "../../wire/peer-wire.ts";
import { CLIENT_NAME } from "./client-name.ts";
import { CLIENT_MARK, monotonicMs } from "../clock.ts";
import type { PeerContext } from "./peer-context.ts";
import { UploadMarks } from "./upload-marks.ts";

/** How the peer ids of p2pfile begin, whatever its version. */
const OWN_MARK = toHex(new TextEncoder().encode(CLIENT_MARK.slice(0, 3)));
/** Name of the peer exchange extension (BEP 11). */
export const PEER_EXCHANGE = "ut_pex";

/** The torrent a connection belongs to, as far as the connection knows it. */
export interface PeerOwner {
  readonly infoHash: InfoHash;
  /** `payload` comes with blocks alone and is valid during the call. */
  readonly onMessage: (peer: PeerConnection, message: PeerMessage, payload?: Uint8Array) => void;
  onUploaded(peer: PeerConnection, bytes: number): void;
  onExtendedHandshake(peer: PeerConnection): void;
  onExtended(peer: PeerConnection, name: string, payload: Uint8Array): void;
  onPort(peer: PeerConnection, port: number): void;
  onEnd(peer: PeerConnection, fault: PeerFault | undefined): void;
  admit(peer: PeerConnection): PeerFault | undefined;
}

/** What a peer is told of us in the extension handshake. */
export interface SelfDescription {
  /** Raw, once known. */
  readonly infoDict: Uint8Array | undefined;
  /** We want nothing (BEP 21). */
  readonly uploadOnly: boolean;
}

export interface PeerConnectionOptions {
  readonly handle: PeerHandle;
  readonly tcp: TcpConnection;
  readonly context: PeerContext;
  readonly onEnd: () => void;
}

export class PeerConnection {
  readonly handle: PeerHandle;
  readonly wire: PeerWire;
  readonly direction: "incoming" | "outgoing";
  readonly remote: PeerAddress;
  readonly openedAt = monotonicMs();
  /** The address we dialled; undefined for an incoming connection. */
  dialled: PeerAddress | undefined;
  /** Where the peer accepts connections, once known. */
  listenAddress: PeerAddress | undefined;
  /** Its own word on that, where it differs: the peer has several addresses, or something stands in between. */
  advertisedAddress: PeerAddress | undefined;
  peerId: PeerId | undefined;
  fast = false;
  dht = false;
  extended: ExtendedHandshake | undefined;
  readonly #tcp: TcpConnection;
  readonly #context: PeerContext;
  readonly #onEnd: () => void;
  readonly #marks = new UploadMarks();
  #owner: PeerOwner | undefined;
  #route: ((infoHash: InfoHash) => PeerFault | undefined) | undefined;
  #heardAt = this.openedAt;
  #saidAt = this.openedAt;
  #writtenAt = this.openedAt;
  #received = 0;
  /** Bytes the rate limits know of, each way. */
  #chargedOut = 0;
  #chargedIn = 0;
  #fault: PeerFault | undefined;
  #offersMetadata = false;
  #paused = false;
  #ended = false;

  constructor(options: PeerConnectionOptions) {
    this.handle = options.handle;
    this.#tcp = options.tcp;
    this.#context = options.context;
    this.#onEnd = options.onEnd;
    this.direction = options.tcp.direction;
    this.remote = options.tcp.remote;
    this.wire = new PeerWire({
      direction: this.direction,
      sink: options.tcp.output,
      extensions: [PEER_EXCHANGE, HOST_EXCHANGE],
      events: {
        handshake: (handshake) => this.#onHandshake(handshake),
        message: (message) => this.#owner?.onMessage(this, message),
        block: (block, payload) => {
          this.#chargedIn += block.length;
          this.#owner?.onMessage(this, { type: "block", block }, payload);
        },
        extendedHandshake: (handshake) => {
          this.extended = handshake;
          this.#owner?.onExtendedHandshake(this);
        },
        extended: (name, payload) => this.#owner?.onExtended(this, name, payload),
        port: (port) => this.#owner?.onPort(this, port),
        fault: (fault) => this.close(fault),
      },
    });
  }

  /** The peer is another program than p2pfile. */
  get isOtherClient(): boolean {
    return !(this.peerId ?? "").startsWith(OWN_MARK);
  }

  /** For an incoming connection: `route` finds the torrent it names and admits it. */
  listen(route: (infoHash: InfoHash) => PeerFault | undefined): void {
    this.#route = route;
    this.#attach();
  }

  /** For an outgoing connection: says the handshake and waits for the peer's. */
  introduce(owner: PeerOwner, self: SelfDescription): void {
    this.#owner = owner;
    this.#present(self);
    this.wire.handshake(owner.infoHash, this.#context.peerId);
    this.#attach();
    this.#tcp.flush();
  }

  /** Completes an admitted connection: our handshake if it is not said yet, and what we are. */
  welcome(owner: PeerOwner, self: SelfDescription): void {
    this.#owner = owner;
    this.#present(self);
    if (this.direction === "incoming") this.wire.handshake(owner.infoHash, this.#context.peerId);
  }

  /** The metadata became known: the peer may fetch it from us. */
  offerMetadata(infoDict: Uint8Array): void {
    this.#present({ infoDict, uploadOnly: false });
    this.#touchOutput();
  }

  /** @returns the info dict, checked against the info hash, or undefined when the peer does not give it. */
  fetchMetadata(onReceived?: (bytes: number) => void): Promise<Uint8Array | undefined> {
    const fetched = this.wire.fetchMetadata(onReceived);
    this.#touchOutput();
    return fetched;
  }

  /** Tells the peer that we want nothing any more (BEP 21). */
  sayUploadOnly(metadataSize: number | undefined): void {
    this.#describe(true, metadataSize);
    this.wire.sendExtendedHandshake();
    this.#touchOutput();
  }

  send(message: PeerMessage): void {
    this.wire.send(message);
    this.#touchOutput();
  }

  sendBlock(block: Block, payload: Uint8Array): void {
    this.wire.sendBlock(block, payload);
    this.#chargedOut += block.length + BLOCK_HEADER_LENGTH;
    this.#marks.add(this.#tcp.totalWritten + this.#tcp.pendingBytes, block.length);
    this.#touchOutput();
  }

  sendExtended(name: string, payload: Uint8Array): void {
    if (this.wire.sendExtended(name, payload)) this.#touchOutput();
  }

  /** Stops or resumes reading: the disk is behind. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (paused) this.#tcp.pause();
    else {
      this.#heardAt = monotonicMs();
      this.#tcp.resume();
    }
  }

  /** Looks after silence, both ways, and lets the rate limits know of everything that was not payload. */
  tick(now: number): void {
    this.#chargeOverhead(now);
    if (this.peerId === undefined && now - this.openedAt > HANDSHAKE_TIMEOUT_MS)
      this.close("handshakeTimeout");
    else if (!this.#paused && now - this.#heardAt > IDLE_TIMEOUT_MS) this.close("idle");
    else if (this.#tcp.pendingBytes > 0 && now - this.#writtenAt > STALLED_WRITE_MS)
      this.close("stalledWrite");
    else if (now - this.#saidAt > KEEP_ALIVE_MS) {
      this.wire.sendKeepAlive();
      this.#touchOutput();
    }
  }

  /** Lets the peer have what is on its way to it; it closes then. Nothing it says counts any more. */
  finish(): void {
    if (this.peerId === undefined) return this.close("shutdown");
    this.#fault = "shutdown";
    this.#tcp.finish();
  }

  close(fault: PeerFault): void {
    if (this.#ended) return;
    this.#fault = fault;
    if (fault !== "shutdown") this.#context.logger.debug(`${addressKey(this.remote)}: closed (${fault})`);
    this.#tcp.close();
    // A connection that was never attached has no handlers to be told.
    this.#end();
  }

  #attach(): void {
    this.#tcp.attach({
      onData: (chunk) => {
        this.#received += chunk.length;
        // A peer that never ends what it says is as good as silent.
        if (this.wire.receive(chunk)) this.#heardAt = monotonicMs();
        if (this.#tcp.pendingBytes > MAX_OUTPUT_BUFFER) this.close("stalledWrite");
      },
      onWritten: (total) => {
        this.#writtenAt = monotonicMs();
        const bytes = this.#marks.passed(total);
        if (bytes > 0) this.#owner?.onUploaded(this, bytes);
      },
      onDrained: () => this.wire.drained(),
      onClose: () => this.#end(),
    });
  }

  #onHandshake(handshake: PeerHandshake): void {
    ({ peerId: this.peerId, fast: this.fast, dht: this.dht } = handshake);
    const fault =
      this.#owner === undefined
        ? this.#route?.(handshake.infoHash)
        : handshake.infoHash === this.#owner.infoHash
          ? this.#owner.admit(this)
          : "unknownInfoHash";
    if (fault !== undefined) this.close(fault);
    else if (this.isOtherClient) this.#tcp.paceByLoss();
  }

  /** What our extension handshake will say; the metadata also to a peer that has heard one without it. */
  #present({ infoDict, uploadOnly }: SelfDescription): void {
    this.#describe(uploadOnly, infoDict?.length);
    if (infoDict === undefined || this.#offersMetadata) return;
    this.#offersMetadata = true;
    this.wire.setMetadata(infoDict);
  }

  #describe(uploadOnly: boolean, metadataSize: number | undefined): void {
    this.wire.setExtendedHandshake(
      extendedHandshakeFields({
        client: CLIENT_NAME,
        port: this.#context.address.port,
        uploadOnly,
        metadataSize,
      }),
    );
  }

  /** Blocks were charged when they were ordered or asked for; the rest of the traffic counts as well. */
  #chargeOverhead(now: number): void {
    const out = this.#tcp.totalWritten + this.#tcp.pendingBytes - this.#chargedOut;
    const inwards = this.#received - this.#chargedIn;
    // Half a block at the end of a chunk is not overhead, only not counted yet.
    const surelyIn = Math.max(0, inwards - MAX_BLOCK_FRAME_LENGTH);
    if (out > 0) this.#context.uploadBucket.spend(out, now);
    if (surelyIn > 0) this.#context.downloadBucket.spend(surelyIn, now);
    this.#chargedOut += Math.max(0, out);
    this.#chargedIn += surelyIn;
  }

  #touchOutput(): void {
    this.#saidAt = monotonicMs();
    if (this.#tcp.pendingBytes > 0) this.#context.flushTurn.mark(this.#tcp);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.wire.close();
    this.#onEnd();
    this.#owner?.onEnd(this, this.#fault);
  }
}
