// One side of the floor: as many bytes as the blocks with their frames, through nothing but Bun's sockets. The seed writes
// what it is given room for, the leech counts.
import { BLOCK_LENGTH } from "../../src/core/torrent/limits.ts";
import { HOST } from "../contestants/contestant.ts";
import { FRAME_LENGTH, sideArguments, startClock } from "./stream.ts";

/** About as much as a PeerWire seed has ready at once. */
const FRAMES_PER_WRITE = 16;

const { role, size, port } = sideArguments();
const total = (size / BLOCK_LENGTH) * FRAME_LENGTH;

function seed(): void {
  const content = new Uint8Array(FRAMES_PER_WRITE * FRAME_LENGTH);
  let sent = 0;
  let stopClock = (): void => {};
  const send = (socket: Bun.Socket): void => {
    while (sent < total) {
      const from = sent % content.length;
      const length = Math.min(content.length - from, total - sent);
      const taken = socket.write(content, from, length);
      if (taken < 0) throw new Error("the leech has gone");
      sent += taken;
      if (taken < length) return;
    }
  };
  const listener = Bun.listen({
    hostname: HOST,
    port: 0,
    socket: {
      open(socket) {
        stopClock = startClock();
        send(socket);
      },
      drain: send,
      data() {},
      close() {
        stopClock();
        listener.stop();
      },
    },
  });
  console.log(`port ${listener.port}`);
}

async function leech(): Promise<void> {
  let got = 0;
  let stopClock = (): void => {};
  await Bun.connect({
    hostname: HOST,
    port,
    socket: {
      open() {
        stopClock = startClock();
      },
      data(socket, chunk) {
        got += chunk.length;
        if (got === total) socket.end();
      },
      close() {
        if (got !== total) throw new Error(`the connection ended after ${got} of ${total} bytes`);
        stopClock();
      },
    },
  });
}

if (role === "seed") seed();
else await leech();
