// Many connections to one process that send given bytes. Counts the bytes that come back and the connections that end.
import type { Socket } from "bun";

interface Data {
  ended: boolean;
}

export interface FloodOptions {
  readonly host: string;
  readonly port: number;
  /** The source address, one of this machine. */
  readonly from?: string;
  /** Sent right after connecting. */
  readonly opening?: (index: number) => Uint8Array;
  /** Reads nothing after the opening. */
  readonly stalled?: boolean;
  readonly onData?: (chunk: Buffer) => void;
}

export class Flood {
  opened = 0;
  /** Connections that the other side ended or refused. */
  refused = 0;
  bytesIn = 0;
  readonly #sockets = new Set<Socket<Data>>();
  readonly #options: FloodOptions;

  constructor(options: FloodOptions) {
    this.#options = options;
  }

  get alive(): number {
    return this.#sockets.size;
  }

  /** Opens `count` more connections, `atOnce` at a time. */
  async open(count: number, atOnce = 50, pauseMs = 0): Promise<void> {
    for (let done = 0; done < count; done += atOnce) {
      const width = Math.min(atOnce, count - done);
      await Promise.all(Array.from({ length: width }, (_, index) => this.#connect(done + index)));
      if (pauseMs > 0) await Bun.sleep(pauseMs);
    }
  }

  /** Sends `bytes` on every connection; what a full socket does not take is dropped. */
  send(bytes: (index: number) => Uint8Array): void {
    let index = 0;
    for (const socket of this.#sockets) socket.write(bytes(index++));
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.#sockets.clear();
  }

  async #connect(index: number): Promise<void> {
    const { host, port, from, opening, stalled, onData } = this.#options;
    // `localAddress` works, but Bun's types do not know it.
    const source: { localAddress?: string } = from === undefined ? {} : { localAddress: from };
    try {
      await Bun.connect<Data>({
        ...source,
        hostname: host,
        port,
        socket: {
          open: (socket) => {
            socket.data = { ended: false };
            this.opened++;
            this.#sockets.add(socket);
            if (opening !== undefined) socket.write(opening(index));
            if (stalled === true) socket.pause();
          },
          data: (_, chunk) => {
            this.bytesIn += chunk.length;
            onData?.(chunk);
          },
          close: (socket) => {
            if (this.#sockets.delete(socket)) this.refused++;
          },
          error: () => {},
        },
      });
    } catch {
      this.refused++;
    }
  }
}
