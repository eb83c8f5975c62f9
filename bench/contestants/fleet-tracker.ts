// A tracker (BEP 3, compact answers of BEP 23) for the programs that take peers from no other source. It answers at once, with
// every peer it knows of, and asks to be asked again soon. Run by fleet-aria2.ts in the middle of the network.
//     fleet-tracker.ts ADDRESS [PEER...]      prints "ready PORT", and "peer ADDRESS:PORT" for everyone who announces
const INTERVAL_SECONDS = 5;

const [hostname = "", ...given] = process.argv.slice(2);
const peers = new Set(given);

const server = Bun.serve({
  hostname,
  port: 0,
  fetch(request, server) {
    const query = new URL(request.url).searchParams;
    const own = `${server.requestIP(request)?.address}:${query.get("port")}`;
    if (query.get("event") === "stopped") peers.delete(own);
    else peers.add(own);
    console.log(`peer ${own}`);
    return new Response(answer([...peers].filter((peer) => peer !== own)));
  },
});
console.log(`ready ${server.port}`);

function answer(others: readonly string[]): Uint8Array<ArrayBuffer> {
  const compact = others.flatMap((peer) => {
    const [host = "", port = ""] = peer.split(":");
    return [...host.split(".").map(Number), Number(port) >> 8, Number(port) & 0xff];
  });
  const head = new TextEncoder().encode(`d8:intervali${INTERVAL_SECONDS}e5:peers${compact.length}:`);
  return new Uint8Array([...head, ...compact, "e".charCodeAt(0)]);
}
