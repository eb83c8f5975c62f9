// Attacks by way of the replies, tokens and announces of our DHT node, one test for each: D3 to D6 of docs/THREATS.md.
import { afterEach, describe, expect, test } from "bun:test";
import { type BencodeDict, dictBytes, dictList, dictText } from "../../src/core/format/bencode.ts";
import { idBytes } from "../../src/core/torrent/ids.ts";
import {
  DATAGRAM_SOURCE_BURST,
  DHT_K,
  MAX_DHT_PEERS_PER_HOST_AND_HASH,
  REPLY_HOST_BURST,
} from "../../src/discovery/limits.ts";
import { addressKey, type PeerAddress } from "../../src/core/format/peer-address.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";
import { at, DhtNetwork, elapsed, found, infoHash } from "./dht-network.ts";
import { eventually, fieldsOf, id20, query, type RawUdp, reply } from "./krpc.ts";

const network = new DhtNetwork();
afterEach(() => network.close());

const hash = idBytes(infoHash);
const otherHash = new Uint8Array(20).fill(7);
const getPeers = (of: Uint8Array = hash) => query("get_peers", { id: id20("p"), info_hash: of });
const announce = (token: Uint8Array, port: number, of: Uint8Array = hash) =>
  query("announce_peer", { id: id20("p"), info_hash: of, port, token });

async function tokenOf(raw: RawUdp, target: PeerAddress, of?: Uint8Array): Promise<Uint8Array | undefined> {
  const { message } = await raw.ask(getPeers(of), target);
  return dictBytes(fieldsOf(message), "token");
}

async function storedAt(target: PeerAddress, of?: Uint8Array): Promise<number> {
  const raw = await network.raw("127.0.0.99");
  const { message } = await raw.ask(getPeers(of), target);
  return dictList(fieldsOf(message), "values")?.length ?? 0;
}

/** The code of an error reply, undefined for any other. */
function errorCode(message: BencodeDict): unknown {
  return dictList(message, "e")?.[0];
}

describe("DHT rows", () => {
  test("D3: no reply is longer than 700 bytes or 8 times the shortest query for it", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    for (let host = 1; host <= 30; host++) {
      const raw = await network.raw(`127.0.4.${host}`);
      const id = Buffer.alloc(20, host * 8);
      raw.beNode(id);
      const token = (await tokenOf(raw, target))!;
      for (let port = 7001; port <= 7002; port++) await raw.ask(announce(token, port), target);
      await raw.ask(query("ping", { id }), target);
    }
    await eventually(() => dht.nodeCount >= DHT_K);
    const raw = await network.raw("127.0.0.12");
    const questions = [
      query("ping", { id: id20("p") }, "t"),
      query("find_node", { id: id20("p"), target: id20("t") }, "t"),
      query("get_peers", { id: id20("p"), info_hash: hash }, "t"),
      query("get_peers", { id: id20("p"), info_hash: otherHash }, "t"),
      query("announce_peer", { id: id20("p"), info_hash: hash, port: 1, token: "t" }, "t"),
    ];
    for (const question of questions) {
      const { bytes } = await raw.ask(question, target);
      expect(bytes.length).toBeLessThanOrEqual(700);
      expect(bytes.length).toBeLessThanOrEqual(8 * question.length);
    }
  });

  test("D3: forged queries from many ports of one host make us send it a burst and no more", async () => {
    // No time passes in which more may flow.
    const dht = await network.node("127.0.0.11", [], { clock: new VirtualClock() });
    const target = at("127.0.0.11", dht);
    const filler = await network.raw("127.0.0.12");
    const token = (await tokenOf(filler, target))!;
    for (let port = 7001; port <= 7050; port++) await filler.ask(announce(token, port), target);
    const victims: RawUdp[] = [];
    for (let i = 0; i < 8; i++) victims.push(await network.raw("127.0.0.66"));
    for (let round = 0; round < DATAGRAM_SOURCE_BURST; round++) {
      for (const victim of victims) victim.send(getPeers(), target);
      if (round % 10 === 0) await Bun.sleep(1);
    }
    const sent = () =>
      victims
        .flatMap(({ received }) => received)
        .filter(({ message }) => message.has("r"))
        .reduce((sum, { bytes }) => sum + bytes.length, 0);
    await eventually(() => sent() > REPLY_HOST_BURST * 0.9);
    // Another host is still answered, and our own lookups go on.
    expect(await storedAt(target)).toBe(50);
    expect(sent()).toBeLessThanOrEqual(REPLY_HOST_BURST);
    const seed = await network.node("127.0.0.13", [target]);
    await seed.announce(infoHash, 7001);
    expect(await elapsed(found(dht))).toBeLessThan(2000);
  });

  test("D4: a token of our own, of another host and of another info hash: error 203, nothing stored", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    const [raw, other] = [await network.raw("127.0.0.12"), await network.raw("127.0.0.13")];
    const wrong = [
      Buffer.from("t".repeat(20)),
      Buffer.from("t"),
      (await tokenOf(other, target))!,
      (await tokenOf(raw, target, otherHash))!,
    ];
    for (const token of wrong) {
      const { message } = await raw.ask(announce(token, 7001), target);
      expect(errorCode(message)).toBe(203);
    }
    expect(await storedAt(target)).toBe(0);
    const { message } = await raw.ask(announce((await tokenOf(raw, target))!, 7001), target);
    expect(errorCode(message)).toBeUndefined();
    expect(await storedAt(target)).toBe(1);
  });

  test("D4: 1000 forged tokens store nothing", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    for (let host = 1; host <= 10; host++) {
      const raw = await network.raw(`127.0.5.${host}`);
      for (let i = 0; i < 100; i++) raw.send(announce(Buffer.alloc(20, i), 7001 + i), target);
      await eventually(() => raw.received.filter(({ message }) => errorCode(message) === 203).length === 100);
    }
    expect(await storedAt(target)).toBe(0);
  });

  test("D5: a host that fills its share is refused, gets no token for more, and displaces no other peer", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    const [flooder, honest] = [await network.raw("127.0.0.66"), await network.raw("127.0.0.12")];
    let stored = 0;
    dht.onAnnounced(() => stored++);
    await honest.ask(announce((await tokenOf(honest, target))!, 7001), target);
    const token = (await tokenOf(flooder, target))!;
    for (let i = 0; i < MAX_DHT_PEERS_PER_HOST_AND_HASH; i++)
      await flooder.ask(announce(token, 10_000 + i), target);
    const { message } = await flooder.ask(announce(token, 20_000), target);
    expect(errorCode(message)).toBe(202);
    expect(stored).toBe(1 + MAX_DHT_PEERS_PER_HOST_AND_HASH);
    // A stored peer may renew, and other hosts are still stored.
    expect(errorCode((await flooder.ask(announce(token, 10_000), target)).message)).toBeUndefined();
    const late = await network.raw("127.0.0.13");
    expect(await tokenOf(late, target)).toBeDefined();
  });

  test("D5: a node that gives no token is passed over and the announce goes to its neighbours", async () => {
    const full = await network.raw("127.0.0.66");
    const neighbour = await network.node("127.0.0.12");
    full.answer = (message, from) => full.send(reply({ id: id20("F") }, dictBytes(message, "t")), from);
    const dht = await network.node("127.0.0.11", [full.address, at("127.0.0.12", neighbour)]);
    await dht.announce(infoHash, 7001);
    const asked = full.received.map(({ message }) => dictText(message, "q"));
    expect(asked).toContain("get_peers");
    expect(asked).not.toContain("announce_peer");
    expect(await storedAt(at("127.0.0.12", neighbour))).toBe(1);
  });

  test("D6: with implied_port the source port counts, whatever port is named", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    const raw = await network.raw("127.0.0.12");
    const heard: string[] = [];
    dht.onAnnounced((_, address) => heard.push(addressKey(address)));
    const token = (await tokenOf(raw, target))!;
    for (const port of [0, 7001]) {
      const args = { id: id20("p"), implied_port: 1, info_hash: hash, port, token };
      await raw.ask(query("announce_peer", args), target);
    }
    await raw.ask(
      query("announce_peer", { id: id20("p"), implied_port: 0, info_hash: hash, port: 9, token }),
      target,
    );
    expect(heard).toEqual([addressKey(raw.address), addressKey(raw.address), "127.0.0.12:9"]);
  });
});
