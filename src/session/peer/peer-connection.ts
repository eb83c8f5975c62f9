// One connected peer: its socket, its wire, what it has advertised of itself, and when it was last heard. Passes messages to the
// torrent that owns it; closes once, for one reason.
import { type ExtendedHandshake, extendedHandshakeFields } from "../../core/format/extended-handshake.ts";
import { HOST_EXCHANGE } from "../../core/exchange/host-message.ts";
import type { InfoHash, PeerHandle, PeerId } from "../../core/torrent/ids.ts";
import { IDLE_TIMEOUT_MS, KEEP_ALIVE_MS, MAX_OUTPUT_BUFFER, STALLED_WRITE_MS } from "./limits.ts";
import { toHex } from "../../lib/bytes.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import type { Block, PeerFault, PeerMessage } from "../../core/torrent/peer-message.ts";
import type { TcpConnection } from "../../net/tcp-connection.ts";
import type { PeerHandshake } from "../../wire/peer-wire-events.ts";
import { PeerWire } from "../../wire/peer-wire.ts";
import { CLIENT_NAME } from "./client-name.ts";
import { CLIENT_MARK } from "../clock.ts";
import { OverheadMeter } from "./overhead-meter.ts";
import type { PeerContext, SelfDescription } from "./peer-context.ts";
import { UploadMarks } from "./upload-marks.ts";

/** How the peer ids of p2pfile begin, whatever its version. */
const OWN_MARK = toHex(new TextEncoder().encode(CLIENT_MARK.slice(0, 3)));
/** Name of the peer exchange extension (BEP 11). */
export const PEER_EXCHANGE = "ut_pex";

/** The torrent that a connection belongs to, as far as the connection knows it. */
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

export interface PeerConnectionOptions {
  readonly handle: PeerHandle;
  readonly tcp: TcpConnection;
  readonly context: PeerContext;
  /** When the TCP connection was opened or accepted. */
  readonly openedAt: number;
  readonly onEnd: () => void;
}

export class PeerConnection {
  readonly handle: PeerHandle;
  readonly wire: PeerWire;
  readonly direction: "incoming" | "outgoing";
  readonly remote: PeerAddress;
  readonly openedAt: number;
  /** The address we dialled; undefined for an incoming connection. */
  dialled: PeerAddress | undefined;
  /** Where the peer accepts connections: where we have dialled it, or its host with the port that it states. */
  listenAddress: PeerAddress | undefined;
  /** Where else a dial of ours has reached the peer: it has several addresses, or there is a NAT in between. */
  readonly otherAddresses: PeerAddress[] = [];
  peerId: PeerId | undefined;
  fast = false;
  dht = false;
  extended: ExtendedHandshake | undefined;
  /** Gets every block that is sent to the peer. */
  onBlockSent: ((block: Block) => void) | undefined;
  readonly #tcp: TcpConnection;
  readonly #context: PeerContext;
  readonly #onEnd: () => void;
  readonly #marks = new UploadMarks();
  readonly #overhead = new OverheadMeter();
  #owner: PeerOwner | undefined;
  #route: ((infoHash: InfoHash) => PeerFault | undefined) | undefined;
  /** When the peer last ended a message, when we last sent one, and when the socket last took bytes. */
  #heardAt: number;
  #sentAt: number;
  #writtenAt: number;
  #fault: PeerFault | undefined;
  /** It gets our handshake and the end of the stream. */
  #isAnswered = false;
  #offersMetadata = false;
  #paused = false;
  #ended = false;

  constructor(options: PeerConnectionOptions) {
    this.handle = options.handle;
    this.#tcp = options.tcp;
    this.#context = options.context;
    this.#onEnd = options.onEnd;
    this.openedAt = options.openedAt;
    this.#heardAt = options.openedAt;
    this.#sentAt = options.openedAt;
    this.#writtenAt = options.openedAt;
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
          this.#overhead.blockReceived(block.length);
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

  /** For an incoming connection: `route` finds the torrent that the handshake names and admits the peer. */
  awaitHandshake(route: (infoHash: InfoHash) => PeerFault | undefined): void {
    this.#route = route;
    this.#attach();
  }

  /** For one that is refused: our handshakes, so that the peer knows which process it has reached. The caller closes it in the end. */
  answer(infoHash: InfoHash): void {
    this.#isAnswered = true;
    this.wire.handshake(infoHash, this.#context.peerId);
    this.#tcp.finish();
  }

  /** For an outgoing connection: sends our handshake and waits for the peer's. */
  sendHandshake(owner: PeerOwner, self: SelfDescription): void {
    this.#owner = owner;
    this.#describe(self);
    this.wire.handshake(owner.infoHash, this.#context.peerId);
    this.#attach();
    this.#tcp.flush();
  }

  /** For a peer that is admitted: our handshake if it was not sent yet, and our extension handshake. */
  completeHandshake(owner: PeerOwner, self: SelfDescription): void {
    this.#owner = owner;
    this.#describe(self);
    if (this.direction === "incoming") this.wire.handshake(owner.infoHash, this.#context.peerId);
  }

  /** The metadata became known: the peer may fetch it from us. */
  offerMetadata(infoDict: Uint8Array): void {
    this.#describe({ infoDict, uploadOnly: false, collects: false });
    this.#outputAdded();
  }

  /** @returns the info dict, checked against the info hash, or undefined when the peer does not deliver it. */
  fetchMetadata(onReceived?: (bytes: number) => void): Promise<Uint8Array | undefined> {
    const fetched = this.wire.fetchMetadata(onReceived);
    this.#outputAdded();
    return fetched;
  }

  /** Tells the peer that we want nothing more (BEP 21). */
  sendUploadOnly(metadataSize: number | undefined): void {
    this.#setFields(true, false, metadataSize);
    this.wire.sendExtendedHandshake();
    this.#outputAdded();
  }

  send(message: PeerMessage): void {
    this.wire.send(message);
    this.#outputAdded();
  }

  sendBlock(block: Block, payload: Uint8Array): void {
    this.wire.sendBlock(block, payload);
    this.#overhead.blockSent(block.length);
    this.onBlockSent?.(block);
    this.#marks.add(this.#queuedBytes, block.length);
    this.#outputAdded();
  }

  sendExtended(name: string, payload: Uint8Array): void {
    if (this.wire.sendExtended(name, payload)) this.#outputAdded();
  }

  /** Stops or resumes reading: the disk is behind. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (paused) this.#tcp.pause();
    else {
      this.#heardAt = this.#context.now();
      this.#tcp.resume();
    }
  }

  /** For an admitted peer: closes it after silence in either direction, and charges the rate limits for what was not payload. */
  tick(now: number): void {
    this.#chargeOverhead(now);
    if (!this.#paused && now - this.#heardAt > IDLE_TIMEOUT_MS) this.close("idle");
    else if (this.#tcp.pendingBytes > 0 && now - this.#writtenAt > STALLED_WRITE_MS)
      this.close("stalledWrite");
    else if (now - this.#sentAt > KEEP_ALIVE_MS) {
      this.wire.sendKeepAlive();
      this.#outputAdded();
    }
  }

  /** Sends what is queued; the peer closes when it has read it. Messages of the peer are ignored from now on. */
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
    // A connection that was never attached has no handlers that would be called.
    this.#end();
  }

  /** The socket has taken all that was sent. */
  get isFlushed(): boolean {
    return this.#tcp.pendingBytes === 0;
  }

  /** Bytes of output since the beginning, the unsent ones included. */
  get #queuedBytes(): number {
    return this.#tcp.totalWritten + this.#tcp.pendingBytes;
  }

  #attach(): void {
    this.#tcp.attach({
      onData: (chunk) => {
        this.#overhead.received(chunk.length);
        // A peer that never ends its message counts as silent.
        if (this.wire.receive(chunk)) this.#heardAt = this.#context.now();
        if (this.#tcp.pendingBytes > MAX_OUTPUT_BUFFER) this.close("stalledWrite");
      },
      onWritten: (total) => {
        this.#writtenAt = this.#context.now();
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
    if (fault !== undefined && this.#isAnswered) this.#fault = fault;
    else if (fault !== undefined) this.close(fault);
    else if (this.isOtherClient) this.#tcp.paceByLoss();
  }

  /** Sets our extension handshake; the metadata is offered also to a peer that has got one without it. */
  #describe({ infoDict, uploadOnly, collects }: SelfDescription): void {
    this.#setFields(uploadOnly, collects, infoDict?.length);
    if (infoDict === undefined || this.#offersMetadata) return;
    this.#offersMetadata = true;
    this.wire.setMetadata(infoDict);
  }

  #setFields(uploadOnly: boolean, collects: boolean, metadataSize: number | undefined): void {
    const { port } = this.#context.address;
    this.wire.setExtendedHandshake(
      extendedHandshakeFields({ client: CLIENT_NAME, port, uploadOnly, collects, metadataSize }),
    );
  }

  #chargeOverhead(now: number): void {
    const sent = this.#overhead.takeSent(this.#queuedBytes);
    const received = this.#overhead.takeReceived();
    if (sent > 0) this.#context.uploadBucket.spend(sent, now);
    if (received > 0) this.#context.downloadBucket.spend(received, now);
  }

  #outputAdded(): void {
    this.#sentAt = this.#context.now();
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
