// A TCP relay between a downloading peer and a seed that reads along what is asked for. It can play a seed that is
// another program: the key of our own in the seed's extension handshake then reads as one that nobody knows.
import { connect, createServer } from "node:net";
import type { TestFixture } from "./test-directory.ts";

const HANDSHAKE_LENGTH = 68;
const REQUEST = 6;
const OWN_KEY = "17:pf_request_length";
/** Of the same length and at the same place in the order of keys. */
const UNKNOWN_KEY = "17:pg_request_length";

export interface RequestWatch {
  /** Where to download from, host:port. */
  readonly address: string;
  /** Bytes of every request so far. */
  readonly lengths: readonly number[];
}

/** `seed`: host:port. `asForeign`: the peer does not learn that the seed answers long requests. */
export async function watchRequests(
  fixture: TestFixture,
  seed: string,
  asForeign: boolean,
): Promise<RequestWatch> {
  const lengths: number[] = [];
  const [host = "", port = ""] = seed.split(":");
  const server = createServer((peer) => {
    const upstream = connect(Number(port), host);
    const read = requestReader(lengths);
    peer.on("data", read).pipe(upstream);
    upstream.on("data", (chunk: Buffer) => {
      const at = asForeign ? chunk.indexOf(OWN_KEY) : -1;
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
  let held = Buffer.alloc(0);
  let greeted = false;
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    if (!greeted) {
      if (held.length < HANDSHAKE_LENGTH) return;
      greeted = true;
      held = held.subarray(HANDSHAKE_LENGTH);
    }
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const end = 4 + held.readUInt32BE(0);
      if (end > 4 && held[4] === REQUEST) lengths.push(held.readUInt32BE(13));
      held = held.subarray(end);
    }
  };
}
