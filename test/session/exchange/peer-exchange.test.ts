import { describe, expect, test } from "bun:test";
import { PEX_INTERVAL_MS } from "../../../src/core/exchange/limits.ts";
import { addressKey, type PeerAddress } from "../../../src/core/format/peer-address.ts";
import { encodePex, parsePex } from "../../../src/core/exchange/pex.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";
import { PeerExchange } from "../../../src/session/exchange/peer-exchange.ts";

/** As much of a connection as peer exchange uses. */
class FakePeer {
  readonly handle: number;
  readonly listenAddress: PeerAddress | undefined;
  readonly extended: { extensions: Map<string, number>; uploadOnly: boolean } | undefined;
  readonly heard: { added: string[]; seeds: string[]; dropped: string[] }[] = [];
  readonly faults: string[] = [];

  constructor(number: number, options: { speaks?: boolean; seed?: boolean; reachable?: boolean } = {}) {
    this.handle = number;
    const { speaks = true, seed = false, reachable = true } = options;
    this.listenAddress = reachable ? { host: `10.0.0.${number}`, port: 42_000 + number } : undefined;
    this.extended = { extensions: new Map(speaks ? [["ut_pex", 1]] : []), uploadOnly: seed };
  }

  sendExtended(name: string, payload: Uint8Array): void {
    expect(name).toBe("ut_pex");
    const message = parsePex(payload)!;
    this.heard.push({
      added: message.added.map(({ address }) => addressKey(address)),
      seeds: message.added.filter(({ seed }) => seed).map(({ address }) => addressKey(address)),
      dropped: message.dropped.map(addressKey),
    });
  }

  close(fault: string): void {
    this.faults.push(fault);
  }
}

const real = (peers: readonly FakePeer[]) => peers as unknown as readonly PeerConnection[];
const realOne = (peer: FakePeer) => peer as unknown as PeerConnection;
const MINUTE = PEX_INTERVAL_MS;

function aMessage(...hosts: string[]): Uint8Array {
  return encodePex({
    added: hosts.map((host) => ({ address: { host, port: 42_070 }, seed: false })),
    dropped: [],
  });
}

describe("sending", () => {
  test("a peer gets the others, never itself, nor those that cannot be reached", () => {
    const exchange = new PeerExchange();
    const peers = [new FakePeer(1), new FakePeer(2, { seed: true }), new FakePeer(3, { reachable: false })];
    exchange.tick(real(peers), 0);
    expect(peers.map(({ heard }) => heard)).toEqual([
      [{ added: ["10.0.0.2:42002"], seeds: ["10.0.0.2:42002"], dropped: [] }],
      [{ added: ["10.0.0.1:42001"], seeds: [], dropped: [] }],
      [{ added: ["10.0.0.1:42001", "10.0.0.2:42002"], seeds: ["10.0.0.2:42002"], dropped: [] }],
    ]);
  });

  test("a peer that does not speak the extension gets nothing, and is reported to others", () => {
    const exchange = new PeerExchange();
    const peers = [new FakePeer(1, { speaks: false }), new FakePeer(2)];
    exchange.tick(real(peers), 0);
    expect(peers.map(({ heard }) => heard.length)).toEqual([0, 1]);
  });

  test("a peer that speaks our own exchange gets the others there, and is reported to other programs", () => {
    const exchange = new PeerExchange();
    const peers = [new FakePeer(1), new FakePeer(2)];
    peers[0]?.extended?.extensions.set("pf_hosts", 3);
    exchange.tick(real(peers), 0);
    expect(peers.map(({ heard }) => heard.length)).toEqual([0, 1]);
    expect(peers[1]?.heard[0]?.added).toEqual(["10.0.0.1:42001"]);
  });

  test("at most once a minute, the peers that joined and those that left", () => {
    const exchange = new PeerExchange();
    const [listener, first, second] = [new FakePeer(1), new FakePeer(2), new FakePeer(3)];
    for (let now = 0; now < MINUTE; now += 500) exchange.tick(real([listener, first]), now);
    for (let now = MINUTE; now < 2 * MINUTE; now += 500) exchange.tick(real([listener, second]), now);
    expect(listener.heard).toEqual([
      { added: ["10.0.0.2:42002"], seeds: [], dropped: [] },
      { added: ["10.0.0.3:42003"], seeds: [], dropped: ["10.0.0.2:42002"] },
    ]);
  });

  test("a connection that ended leaves nothing behind: a new one under its handle gets everything", () => {
    const exchange = new PeerExchange();
    const [listener, other] = [new FakePeer(1), new FakePeer(2)];
    exchange.tick(real([listener, other]), 0);
    exchange.forget(realOne(listener));
    exchange.tick(real([listener, other]), 2000);
    expect(listener.heard).toHaveLength(2);
  });
});

describe("receiving", () => {
  test("the addresses are handed on", () => {
    const addresses = new PeerExchange().received(
      realOne(new FakePeer(1)),
      aMessage("10.0.0.7", "10.0.0.8"),
      0,
    );
    expect(addresses.map(addressKey)).toEqual(["10.0.0.7:42070", "10.0.0.8:42070"]);
  });

  test("W20: more than one message a minute is ignored, with five seconds of grace", () => {
    const exchange = new PeerExchange();
    const peer = realOne(new FakePeer(1));
    const counts = [0, 1000, MINUTE - 5001, MINUTE - 5000, MINUTE, 2 * MINUTE - 5000].map(
      (now) => exchange.received(peer, aMessage("10.0.0.7"), now).length,
    );
    expect(counts).toEqual([1, 0, 0, 1, 0, 1]);
    expect(exchange.received(realOne(new FakePeer(2)), aMessage("10.0.0.7"), 1000)).toHaveLength(1);
  });

  test("a malformed message ends the connection", () => {
    const peer = new FakePeer(1);
    expect(new PeerExchange().received(realOne(peer), new Uint8Array([1, 2]), 0)).toEqual([]);
    expect(peer.faults).toEqual(["badExtension"]);
  });
});
