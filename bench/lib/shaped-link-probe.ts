// One side of a plain TCP transfer between two hosts, to see what a shaped link really gives. Run by shaped-link-check.ts.
//     shaped-link-probe.ts receive ADDRESS BYTES        prints "ready PORT", then "received MILLISECONDS" for all of them
//     shaped-link-probe.ts send ADDRESS BYTES PORT      sends so many and waits until the other side has closed
const [mode = "", hostname = "", bytes = "", port = ""] = process.argv.slice(2);
const total = Number(bytes);
const block = new Uint8Array(256 * 1024);

function receive(): void {
  let received = 0;
  let begun = 0;
  const listener = Bun.listen({
    hostname,
    port: 0,
    socket: {
      open() {
        begun = performance.now();
      },
      data(socket, chunk) {
        received += chunk.length;
        if (received < total) return;
        console.log(`received ${performance.now() - begun}`);
        socket.end();
        listener.stop();
      },
    },
  });
  console.log(`ready ${listener.port}`);
}

async function send(): Promise<void> {
  let sent = 0;
  const push = (socket: Bun.Socket) => {
    while (sent < total) {
      const count = socket.write(block, 0, Math.min(block.length, total - sent));
      if (count <= 0) return;
      sent += count;
    }
  };
  const closed = Promise.withResolvers<void>();
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: { open: push, drain: push, data() {}, close: () => closed.resolve() },
  });
  await closed.promise;
}

if (mode === "receive") receive();
else await send();
