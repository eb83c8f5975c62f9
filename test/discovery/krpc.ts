// Hand-made DHT messages and a bare UDP peer, for tests of the discovery layer.
import { createSocket, type Socket } from "node:dgram";
import {
  type BencodeDict,
  type BencodeInput,
  decodeBencode,
  dictBytes,
  dictDict,
  encodeBencode,
} from "../../src/core/format/bencode.ts";
import { type PeerAddress, writeCompact } from "../../src/core/format/peer-address.ts";

export const id20 = (letter: string) => Buffer.from(letter.repeat(20));

export function query(name: BencodeInput, args: BencodeInput, transaction: BencodeInput = "aa"): Uint8Array {
  return encodeBencode({ a: args, q: name, t: transaction, y: "q" });
}

export function reply(fields: BencodeInput, transaction: BencodeInput = "aa"): Uint8Array {
  return encodeBencode({ r: fields, t: transaction, y: "r" });
}

/** The fields of a reply. */
export const fieldsOf = (message: BencodeDict) => dictDict(message, "r")!;

export function compactPeer(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(6);
  writeCompact({ host, port }, bytes, 0);
  return bytes;
}

export function compactNode(letter: string, host: string, port: number): Buffer {
  return Buffer.concat([id20(letter), compactPeer(host, port)]);
}

/** The twenty-odd packets that crash, hang or poison a bare bittorrent-dht, by what is wrong with them. */
export function hostileDatagrams(): Readonly<Record<string, Uint8Array>> {
  const id = id20("x");
  const text = (bytes: string) => Buffer.from(bytes, "latin1");
  return {
    "negative string length (hangs the decoder)": text("l-3:"),
    "negative string length in a dict": text("d-3:"),
    "negative string length inside a message": text("d1:ad2:id-3:e1:q4:ping1:t2:aa1:y1:qe"),
    "string longer than the datagram": text("d1:y999999999:qe"),
    "500 nested lists": text(`d1:a${"l".repeat(500)}${"e".repeat(500)}1:y1:qe`),
    "600 items": text(`d1:al${"i1e".repeat(600)}e1:q4:ping1:t2:aa1:y1:qe`),
    "not bencode": text("GET / HTTP/1.1\r\n\r\n"),
    nothing: new Uint8Array(0),
    "3000 bytes": Buffer.concat([text("d1:x2990:"), Buffer.alloc(2990), text("e")]),
    "__proto__ key": text("d9:__proto__d1:xi1ee1:y1:qe"),
    "y is a dict with toString": text("d1:yd8:toStringi1eee"),
    "y is an integer": text("d1:yi1ee1:t2:aae"),
    "q is a dict": query({ toString: 1 }, { id }),
    "q is an integer": query(1, { id }),
    "a is an integer": query("ping", 5),
    "a is missing": text("d1:q4:ping1:t2:aa1:y1:qe"),
    "id is an integer": query("ping", { id: 7 }),
    "id of 19 bytes": query("ping", { id: id.subarray(1) }),
    "t is an integer": query("ping", { id }, 1),
    "t is missing": encodeBencode({ a: { id }, q: "ping", y: "q" }),
    "t of 1000 bytes": query("ping", { id }, "a".repeat(1000)),
    "target is an integer": query("find_node", { id, target: 12 }),
    "target of 3 bytes": query("find_node", { id, target: "abc" }),
    "info_hash is an integer": query("get_peers", { id, info_hash: 12 }),
    "info_hash is a list": query("get_peers", { id, info_hash: [1, 2] }),
    "token is an integer": query("announce_peer", { id, info_hash: id20("h"), port: 1, token: 1 }),
    "token of 65 bytes": query("announce_peer", { id, info_hash: id20("h"), port: 1, token: "t".repeat(65) }),
    "port 0": query("announce_peer", { id, info_hash: id20("h"), port: 0, token: "t" }),
    "port 65536": query("announce_peer", { id, info_hash: id20("h"), port: 65536, token: "t" }),
    "port -1": query("announce_peer", { id, info_hash: id20("h"), port: -1, token: "t" }),
    "port is text": query("announce_peer", { id, info_hash: id20("h"), port: "80", token: "t" }),
    "implied_port is text": query("announce_peer", {
      id,
      info_hash: id20("h"),
      implied_port: "1",
      port: 1,
      token: "t",
    }),
    "put (BEP 44)": query("put", { id, token: "t", v: { length: 1 } }),
    "get (BEP 44)": query("get", { id, target: id20("h") }),
    "unknown query": query("toString", { id }),
    "e is a list of dicts": encodeBencode({ e: [{ toString: 1 }], t: "aa", y: "e" }),
    "e is text": encodeBencode({ e: "no", t: "aa", y: "e" }),
    "r is missing": text("d1:t2:aa1:y1:re"),
    "nodes not a multiple of 26": reply({ id, nodes: "a".repeat(27) }),
    "nodes is a list": reply({ id, nodes: [1] }),
    "values is text": reply({ id, values: "abcdef" }),
    "values of 7 bytes": reply({ id, values: ["abcdefg"] }),
    "values of integers": reply({ id, values: [1, 2] }),
    "reply token is a list": reply({ id, token: [] }),
  };
}

/** A socket without a guard. It keeps what it receives. */
export class RawUdp {
  readonly received: {
    readonly message: BencodeDict;
    readonly bytes: Uint8Array;
    readonly from: PeerAddress;
  }[] = [];
  /** Called for each query received. */
  answer: (message: BencodeDict, from: PeerAddress) => void = () => {};
  readonly #socket: Socket;
  #isClosed = false;
  #onAnswer: (() => void) | undefined;

  static async open(host: string, port = 0): Promise<RawUdp> {
    const socket = createSocket("udp4");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("error", reject);
    socket.bind(port, host, resolve);
    await promise;
    return new RawUdp(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("message", (bytes, source) => {
      const from = { host: source.address, port: source.port };
      const message = decodeBencode(bytes) as BencodeDict;
      this.received.push({ message, bytes, from });
      const isQuery = message.has("q");
      if (!isQuery) this.#onAnswer?.();
      if (isQuery) this.answer(message, from);
    });
  }

  get address(): PeerAddress {
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }

  send(bytes: Uint8Array, to: PeerAddress): void {
    this.#socket.send(bytes, to.port, to.host);
  }

  /** Answers every query, under this id. */
  beNode(id: Uint8Array): void {
    this.answer = (message, from) => this.send(reply({ id }, dictBytes(message, "t")), from);
  }

  /** Sends and waits for the next datagram that is not a query, 2 s at most. */
  async ask(
    bytes: Uint8Array,
    to: PeerAddress,
  ): Promise<{ readonly message: BencodeDict; readonly bytes: Uint8Array }> {
    const next = Promise.withResolvers<void>();
    this.#onAnswer = next.resolve;
    const timer = setTimeout(() => next.reject(new Error("no answer within 2 s")), 2000);
    this.send(bytes, to);
    await next.promise.finally(() => clearTimeout(timer));
    return this.received.findLast(({ message }) => !message.has("q"))!;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}

/** Waits until `condition` holds; throws after `milliseconds`. */
export async function eventually(condition: () => boolean, milliseconds = 2000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end)
      throw new Error(`still not so after ${milliseconds} ms: ${condition.toString()}`);
    await Bun.sleep(2);
  }
}
