// A host that is there and says nothing: it accepts connections and datagrams on ADDRESS:PORT, and answers none. Run by the
// discovery benchmark.
//     discovery-mute.ts ADDRESS PORT       prints "ready"
const [hostname = "", port = ""] = process.argv.slice(2);

Bun.listen({ hostname, port: Number(port), socket: { data() {} } });
await Bun.udpSocket({ hostname, port: Number(port), socket: { data() {} } });
console.log("ready");
