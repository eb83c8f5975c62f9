// A small seed in the test's own process: it records when it sent which bytes of which piece to a peer, and it can corrupt
// any of them.
import { createHash } from "node:crypto";
import type { Socket, TCPSocketListener } from "bun";
import { makeInfo, type MadeTorrent } from "../../helpers/torrent-file.ts";
import { bitfieldOf, extended, FrameCutter, frame, handshake, Id, newPeerId, uint32 } from "./frames.ts";

const OUR_METADATA_ID = 3;
const METADATA_PIECE_LENGTH = 16 * 1024;

export interface ScriptedSeedOptions {
  readonly host: string;
  readonly name: string;
  readonly content: Buffer;
  readonly pieceLength: number;
  /** Bytes per second of all connections together; 0 is no limit. */
  readonly rate?: number;
  /** May change the block before it is sent. */
  readonly spoil?: (piece: number, begin: number, block: Buffer) => void;
}

export interface SentBlock {
  readonly piece: number;
  readonly length: number;
  /** Time of sending, by performance.now(). */
  readonly at: number;
}

interface QueuedRequest {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

interface Session {
  readonly cutter: FrameCutter;
  readonly dialled: boolean;
  peerMetadataId: number;
  output: Buffer[];
  requests: QueuedRequest[];
  closed: boolean;
}

export class ScriptedSeed {
  readonly torrent: MadeTorrent;
  readonly sha256: string;
  readonly pieceCount: number;
  /** Every block handed to a socket, in order. */
  readonly sent: SentBlock[] = [];
  connections = 0;
  /** Connections that the other side ended. */
  ended = 0;
  #rate: number;
  readonly #options: ScriptedSeedOptions;
  readonly #listener: TCPSocketListener<Session>;
  readonly #sockets = new Set<Socket<Session>>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #peerId = newPeerId();
  #tokens = 0;
  #filledAt = performance.now();

  constructor(options: ScriptedSeedOptions) {
    this.#options = options;
    this.#rate = options.rate ?? 0;
    this.torrent = makeInfo(options.name, options.content, options.pieceLength);
    this.sha256 = createHash("sha256").update(options.content).digest("hex");
    this.pieceCount = Math.ceil(options.content.length / options.pieceLength);
    this.#listener = Bun.listen<Session>({ hostname: options.host, port: 0, socket: this.#handlers(false) });
    this.#timer = setInterval(() => this.#serveAll(), 5);
  }

  get address(): string {
    return `${this.#options.host}:${this.#listener.port}`;
  }

  get magnet(): string {
    const { name } = this.#options;
    return `magnet:?xt=urn:btih:${this.torrent.infoHash}&dn=${name}&x.pe=${this.address}`;
  }

  setRate(rate: number): void {
    this.#rate = rate;
  }

  /** Connects to a leech instead of waiting for it. @returns false when the connection is refused. */
  async dial(host: string, port: number): Promise<boolean> {
    try {
      await Bun.connect<Session>({ hostname: host, port, socket: this.#handlers(true) });
      return true;
    } catch {
      return false;
    }
  }

  /** Resets every connection; new ones are accepted. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listener.stop(true);
    for (const socket of this.#sockets) socket.terminate();
  }

  #handlers(dialled: boolean) {
    return {
      open: (socket: Socket<Session>) => {
        socket.data = {
          cutter: new FrameCutter(),
          dialled,
          peerMetadataId: 0,
          output: [],
          requests: [],
          closed: false,
        };
        this.#sockets.add(socket);
        this.connections++;
        if (dialled) this.#introduce(socket);
      },
      data: (socket: Socket<Session>, chunk: Buffer) => {
        const { cutter } = socket.data;
        const before = cutter.handshakeDone;
        const frames = cutter.take(chunk);
        if (!before && cutter.handshakeDone && !dialled) this.#introduce(socket);
        for (const message of frames) this.#receive(socket, message);
        this.#serve(socket);
      },
      drain: (socket: Socket<Session>) => {
        this.#flush(socket);
        this.#serve(socket);
      },
      close: (socket: Socket<Session>) => {
        if (!socket.data.closed) this.ended++;
        socket.data.closed = true;
        this.#sockets.delete(socket);
      },
      error: () => {},
    };
  }

  #introduce(socket: Socket<Session>): void {
    const { info, infoHash } = this.torrent;
    this.#send(
      socket,
      handshake(infoHash, this.#peerId),
      extended(0, {
        m: { ut_metadata: OUR_METADATA_ID },
        metadata_size: info.length,
        p: this.#listener.port,
        reqq: 2048,
        pf_request_length: 128 * 1024,
      }),
      frame(Id.bitfield, bitfieldOf(this.pieceCount)),
      frame(Id.unchoke),
    );
  }

  #receive(socket: Socket<Session>, message: Buffer): void {
    const { data } = socket;
    switch (message[0]) {
      case Id.request:
        data.requests.push({
          piece: message.readUInt32BE(1),
          begin: message.readUInt32BE(5),
          length: message.readUInt32BE(9),
        });
        break;
      case Id.cancel: {
        const [piece, begin] = [message.readUInt32BE(1), message.readUInt32BE(5)];
        data.requests = data.requests.filter((it) => it.piece !== piece || it.begin !== begin);
        break;
      }
      case Id.extended: {
        const text = message.subarray(2).toString("latin1");
        if (message[1] === 0) data.peerMetadataId = Number(/11:ut_metadatai(\d+)e/.exec(text)?.[1] ?? 0);
        const piece = /8:msg_typei0e5:piecei(\d+)e/.exec(text)?.[1];
        if (message[1] === OUR_METADATA_ID && piece !== undefined) this.#sendMetadata(socket, Number(piece));
        break;
      }
      default:
    }
  }

  #sendMetadata(socket: Socket<Session>, piece: number): void {
    const { info } = this.torrent;
    const begin = piece * METADATA_PIECE_LENGTH;
    const head = { msg_type: 1, piece, total_size: info.length };
    this.#send(
      socket,
      extended(socket.data.peerMetadataId, head, info.subarray(begin, begin + METADATA_PIECE_LENGTH)),
    );
  }

  #serveAll(): void {
    const now = performance.now();
    this.#tokens = Math.min(this.#rate * 0.1, this.#tokens + ((now - this.#filledAt) / 1000) * this.#rate);
    this.#filledAt = now;
    for (const socket of this.#sockets) this.#serve(socket);
  }

  /** Answers queued requests as long as the socket and the rate allow. */
  #serve(socket: Socket<Session>): void {
    const { data } = socket;
    const { content, pieceLength, spoil } = this.#options;
    while (data.output.length === 0 && !data.closed) {
      const request = data.requests[0];
      if (request === undefined || (this.#rate > 0 && this.#tokens <= 0)) return;
      data.requests.shift();
      this.#tokens -= request.length;
      const offset = request.piece * pieceLength + request.begin;
      const block = Buffer.from(content.subarray(offset, offset + request.length));
      spoil?.(request.piece, request.begin, block);
      this.sent.push({ piece: request.piece, length: block.length, at: performance.now() });
      this.#send(socket, frame(Id.piece, uint32(request.piece, request.begin), block));
    }
  }

  #send(socket: Socket<Session>, ...frames: readonly Buffer[]): void {
    socket.data.output.push(...frames);
    this.#flush(socket);
  }

  #flush(socket: Socket<Session>): void {
    const { data } = socket;
    while (data.output.length > 0 && !data.closed) {
      const next = data.output[0];
      if (next === undefined) return;
      const written = socket.write(next);
      if (written < 0) return;
      if (written < next.length) {
        data.output[0] = next.subarray(written);
        return;
      }
      data.output.shift();
    }
  }
}

/** Incompressible bytes, the same for the same seed. */
export function contentOf(size: number, seed: number): Buffer {
  const block = createHash("sha512").update(String(seed)).digest();
  const content = Buffer.alloc(size);
  const words = new Uint32Array(content.buffer, content.byteOffset, size >>> 2);
  let state = block.readUInt32LE(0) | 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return content;
}
