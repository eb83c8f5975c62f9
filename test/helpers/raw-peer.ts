// A small BitTorrent peer on a plain TCP socket: it serves one info dict, valid or hostile, by ut_metadata (BEP 9 and 10) and
// nothing else.
import { randomBytes } from "node:crypto";
import type { Socket } from "bun";
import { bencode } from "./torrent-file.ts";

const PROTOCOL = Buffer.from("\x13BitTorrent protocol", "latin1");
const HANDSHAKE_LENGTH = 68;
const EXTENDED = 20;
const OUR_METADATA_ID = 3;
const METADATA_PIECE_LENGTH = 16 * 1024;

export interface RawPeer {
  readonly port: number;
  /** Metadata pieces served so far. */
  readonly metadataServed: () => number;
  close(): void;
}

interface Session {
  input: Buffer;
  handshakeDone: boolean;
  theirMetadataId: number;
}

export function startRawPeer(
  host: string,
  infoHash: string,
  info: Uint8Array,
  statedSize = info.length,
): RawPeer {
  let served = 0;
  const listener = Bun.listen<Session>({
    hostname: host,
    port: 0,
    socket: {
      open(socket) {
        socket.data = { input: Buffer.alloc(0), handshakeDone: false, theirMetadataId: 0 };
      },
      data(socket, chunk) {
        const session = socket.data;
        session.input = Buffer.concat([session.input, chunk]);
        if (!session.handshakeDone) {
          if (session.input.length < HANDSHAKE_LENGTH) return;
          session.input = session.input.subarray(HANDSHAKE_LENGTH);
          session.handshakeDone = true;
          introduce(socket, infoHash, statedSize);
        }
        for (;;) {
          if (session.input.length < 4) return;
          const length = session.input.readUInt32BE(0);
          if (session.input.length < 4 + length) return;
          const message = session.input.subarray(4, 4 + length);
          session.input = session.input.subarray(4 + length);
          if (message[0] !== EXTENDED) continue;
          const text = message.subarray(2).toString("latin1");
          if (message[1] === 0)
            session.theirMetadataId = Number(/11:ut_metadatai(\d+)e/.exec(text)?.[1] ?? 0);
          const piece = /8:msg_typei0e5:piecei(\d+)e/.exec(text)?.[1];
          if (message[1] !== OUR_METADATA_ID || piece === undefined) continue;
          served++;
          sendMetadata(socket, info, Number(piece), statedSize);
        }
      },
    },
  });
  return { port: listener.port, metadataServed: () => served, close: () => listener.stop(true) };
}

function introduce(socket: Socket<Session>, infoHash: string, metadataSize: number): void {
  const reserved = Buffer.alloc(8);
  reserved[5] = 0x10;
  const peerId = Buffer.concat([Buffer.from("-XX0001-"), randomBytes(12)]);
  socket.write(Buffer.concat([PROTOCOL, reserved, Buffer.from(infoHash, "hex"), peerId]));
  socket.write(extended(0, bencode({ m: { ut_metadata: OUR_METADATA_ID }, metadata_size: metadataSize })));
}

function sendMetadata(socket: Socket<Session>, info: Uint8Array, piece: number, totalSize: number): void {
  const header = bencode({ msg_type: 1, piece, total_size: totalSize });
  const begin = piece * METADATA_PIECE_LENGTH;
  const part = info.subarray(begin, begin + METADATA_PIECE_LENGTH);
  socket.write(extended(socket.data.theirMetadataId, Buffer.concat([header, part])));
}

function extended(id: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(6);
  frame.writeUInt32BE(2 + payload.length);
  frame[4] = EXTENDED;
  frame[5] = id;
  return Buffer.concat([frame, payload]);
}
