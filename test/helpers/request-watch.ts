// A TCP relay between a downloading peer and a seed that records the lengths of requests. It can make the seed look like
// another client: it replaces our key in the seed's extension handshake by an unknown one.
import { connect, createServer } from "node:net";
import type { TestFixture } from "./test-directory.ts";

const HANDSHAKE_LENGTH = 68;
const REQUEST = 6;
const OWN_KEY = "17:pf_request_length";
/** Same length and same position in the order of keys. */
const UNKNOWN_KEY = "17:pg_request_length";

export interface RequestWatch {
  /** Address of the relay, host:port. */
  readonly address: string;
  /** Bytes of every request so far. */
  readonly lengths: readonly number[];
}

/** `seed`: host:port. `asOtherClient`: the seed does not advertise long requests. */
export async function watchRequests(
  fixture: TestFixture,
  seed: string,
  asOtherClient: boolean,
): Promise<RequestWatch> {
  const lengths: number[] = [];
  const [host = "", port = ""] = seed.split(":");
  const server = createServer((peer) => {
    const upstream = connect(Number(port), host);
    const read = requestReader(lengths);
    peer.on("data", read).pipe(upstream);
    upstream.on("data", (chunk: Buffer) => {
      const at = asOtherClient ? chunk.indexOf(OWN_KEY) : -1;
      if (at >= 0) chunk.write(UNKNOWN_KEY, at);
    });
    upstream.pipe(peer);
    for (const socket of [peer, upstream]) socket.on("error", () => {});
    peer.on("close", () => upstream.destroy());
    upstream.on("close", () => peer.destroy());
  });
  const own = fixture.address();
  await new Promise<void>((resolve) => server.listen(0, own, resolve));
  fixture.onEnd(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  return { address: `${own}:${address.port}`, lengths };
}

/** Adds the length of every request in the stream to `lengths`. */
function requestReader(lengths: number[]): (chunk: Buffer) => void {
  let buffered = Buffer.alloc(0);
  let handshakeDone = false;
  return (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    if (!handshakeDone) {
      if (buffered.length < HANDSHAKE_LENGTH) return;
      handshakeDone = true;
      buffered = buffered.subarray(HANDSHAKE_LENGTH);
    }
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readUInt32BE(0)) {
      const end = 4 + buffered.readUInt32BE(0);
      if (end > 4 && buffered[4] === REQUEST) lengths.push(buffered.readUInt32BE(13));
      buffered = buffered.subarray(end);
    }
  };
}
