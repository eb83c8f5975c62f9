import { describe, expect, test } from "bun:test";
import { FirstHandHosts } from "../../../src/core/exchange/first-hand-hosts.ts";
import { encodeHosts, HOST_EXCHANGE, parseHosts } from "../../../src/core/exchange/host-message.ts";
import type { HostEntry, HostState } from "../../../src/core/exchange/host-roster.ts";
import {
  PIECE_STATE_PATIENCE_MS,
  HOST_MESSAGES_PER_TURN,
  HOST_MESSAGE_BURST,
  HOST_MESSAGE_RATE,
  HOST_TURN_MS,
} from "../../../src/session/exchange/limits.ts";
import { MAX_HOSTS_PER_MESSAGE } from "../../../src/core/exchange/limits.ts";
import type { PeerAddress } from "../../../src/core/format/peer-address.ts";
import { peerHandle } from "../../../src/core/torrent/ids.ts";
import {
  CompletionTracking,
  firstHandStateOf,
  stateToReport,
} from "../../../src/session/exchange/completion-tracking.ts";
import { HostExchange } from "../../../src/session/exchange/host-exchange.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";

const NOW = 1_800_000_000;
const address = (last: number): PeerAddress => ({ host: `10.0.${last >> 8}.${last & 255}`, port: 42_070 });
const host = (last: number, state: HostState, since = NOW): HostEntry => ({
  address: address(last),
  state,
  since,
});
const said = (entries: readonly HostEntry[]) =>
  entries.map(({ address: { host }, state }) => `${host} ${state}`);

/** As much of a connection as the host exchange uses. */
class FakePeer {
  readonly handle: number;
  readonly remote: PeerAddress;
  readonly extended: { extensions: Map<string, number> };
  readonly heard: string[][] = [];
  readonly faults: string[] = [];

  constructor(number: number, speaks = true) {
    this.handle = number;
    this.remote = { host: `192.168.0.${number}`, port: 50_000 };
    this.extended = { extensions: new Map(speaks ? [[HOST_EXCHANGE, 3]] : []) };
  }

  sendExtended(name: string, payload: Uint8Array): void {
    expect(name).toBe(HOST_EXCHANGE);
    this.heard.push(said(parseHosts(payload)?.hosts ?? []));
  }

  close(fault: string): void {
    this.faults.push(fault);
  }
}

const real = (peer: FakePeer) => peer as unknown as PeerConnection;
/** We are host 0. */
const exchange = (state: HostState = "leeching", firstHand = new FirstHandHosts(1)) =>
  new HostExchange({
    own: address(0),
    state,
    destination: "00".repeat(8),
    firstHand,
    wallSeconds: () => NOW,
  });

/** A new peer says of itself. */
function speak(hosts: HostExchange, number: number, entry: HostEntry): void {
  const peer = new FakePeer(number);
  hosts.onExtendedHandshake(real(peer), 0);
  hosts.received(real(peer), encodeHosts([entry]), 0);
}

describe("telling", () => {
  test("a peer gets our own state and all we know at once, and nothing more while nothing changes", () => {
    const hosts = exchange("source");
    speak(hosts, 7, host(1, "leeching"));
    const peer = new FakePeer(1);
    hosts.onExtendedHandshake(real(peer), 0);
    hosts.onExtendedHandshake(real(peer), 10);
    for (let now = 0; now < 20 * HOST_TURN_MS; now += 100) hosts.tick(now);
    expect(peer.heard).toEqual([["10.0.0.0 source", "10.0.0.1 leeching"]]);
    expect(hosts.hasToldPeer).toBe(true);
  });

  test("a peer that does not speak the extension gets nothing", () => {
    const hosts = exchange();
    const peer = new FakePeer(1, false);
    hosts.onExtendedHandshake(real(peer), 0);
    hosts.sayOwn("done");
    expect(peer.heard).toEqual([]);
    expect(hosts.hasToldPeer).toBe(false);
  });

  test("our own change is sent at once, those of others in turns and together", () => {
    const hosts = exchange();
    const [sender, listener] = [new FakePeer(1), new FakePeer(2)];
    hosts.onExtendedHandshake(real(sender), 0);
    hosts.onExtendedHandshake(real(listener), 0);
    hosts.tick(0);
    hosts.sayOwn("done");
    expect(listener.heard).toEqual([["10.0.0.0 leeching"], ["10.0.0.0 done"]]);
    hosts.received(real(sender), encodeHosts([host(1, "leeching")]), 0);
    for (let i = 2; i <= 3; i++) {
      speak(hosts, 10 + i, host(i, "leeching"));
      hosts.tick(i);
    }
    expect(listener.heard).toHaveLength(2);
    hosts.tick(HOST_TURN_MS);
    expect(listener.heard.slice(2)).toEqual([
      ["10.0.0.1 leeching", "10.0.0.2 leeching", "10.0.0.3 leeching"],
    ]);
    // The peer that sent it does not get it back.
    expect(sender.heard.at(-1)).toEqual(["10.0.0.2 leeching", "10.0.0.3 leeching"]);
  });

  test("W25: what a peer says of others is passed on to no peer, however much it is", () => {
    const hosts = exchange();
    const [sender, listener] = [new FakePeer(1), new FakePeer(2)];
    hosts.onExtendedHandshake(real(sender), 0);
    hosts.onExtendedHandshake(real(listener), 0);
    const many = Array.from({ length: MAX_HOSTS_PER_MESSAGE }, (_, i) => host(i + 1, "leeching"));
    for (let i = 0; i < 50; i++) hosts.received(real(sender), encodeHosts(many), i);
    hosts.tick(HOST_TURN_MS);
    expect(listener.heard).toEqual([["10.0.0.0 leeching"], ["10.0.0.1 leeching"]]);
  });

  test("a peer that joins a large fleet gets its hosts in a few messages per turn", () => {
    const hosts = exchange();
    const fleet = Array.from({ length: 950 }, (_, i) => host(i + 1, "leeching"));
    for (const [number, entry] of fleet.entries()) speak(hosts, 100 + number, entry);
    const peer = new FakePeer(1);
    hosts.onExtendedHandshake(real(peer), 0);
    const counts = [peer.heard.length];
    for (let turn = 0; turn < 4; turn++) {
      hosts.tick(turn * HOST_TURN_MS);
      counts.push(peer.heard.length);
    }
    expect(counts).toEqual([HOST_MESSAGES_PER_TURN, 2 * HOST_MESSAGES_PER_TURN, 10, 10, 10]);
    expect(new Set(peer.heard.flat()).size).toBe(951);
  });

  test("a connection that ended gets nothing more", () => {
    const hosts = exchange();
    const peer = new FakePeer(1);
    hosts.onExtendedHandshake(real(peer), 0);
    hosts.forget(real(peer));
    hosts.sayOwn("left");
    expect(peer.heard).toHaveLength(1);
  });
});

describe("hearing", () => {
  test("only news is handed on", () => {
    const hosts = exchange();
    const [one, other] = [new FakePeer(1), new FakePeer(2)];
    const message = encodeHosts([host(1, "leeching"), host(2, "done")]);
    expect(hosts.received(real(one), message, 0).news).toHaveLength(2);
    expect(hosts.received(real(other), message, 0).news).toHaveLength(0);
    const next = encodeHosts([host(1, "done"), host(2, "done")]);
    expect(said(hosts.received(real(other), next, 0).news)).toEqual(["10.0.0.1 done"]);
  });

  test("the first host of a peer's first message is the peer itself", () => {
    const hosts = exchange();
    const peer = new FakePeer(1);
    hosts.onExtendedHandshake(real(peer), 0);
    const stated = [[host(1, "leeching"), host(2, "done")], [host(3, "done")]].map(
      (entries) => hosts.received(real(peer), encodeHosts(entries), 0).sender,
    );
    expect(stated).toEqual([host(1, "leeching"), undefined]);
  });

  test("a message that is none ends the connection", () => {
    const peer = new FakePeer(1);
    expect(exchange().received(real(peer), new Uint8Array([1, 2]), 0)).toEqual({
      news: [],
      sender: undefined,
    });
    expect(peer.faults).toEqual(["badExtension"]);
  });

  test("two messages in every turn are fine for ever; a flood ends the connection", () => {
    const hosts = exchange();
    const peer = new FakePeer(1);
    hosts.onExtendedHandshake(real(peer), 0);
    const message = encodeHosts([host(1, "leeching")]);
    let now = 0;
    for (let i = 0; i < 5000; i++) hosts.received(real(peer), message, (now += HOST_TURN_MS / 2));
    expect(peer.faults).toEqual([]);
    for (let i = 0; i < HOST_MESSAGE_BURST - 1; i++) hosts.received(real(peer), message, now);
    expect(peer.faults).toEqual([]);
    hosts.received(real(peer), message, now);
    hosts.received(real(peer), message, now);
    expect(peer.faults).toContain("badExtension");
  });

  test("what waited while a process stood still for two minutes is not a flood", () => {
    const hosts = exchange();
    const peer = new FakePeer(1);
    hosts.onExtendedHandshake(real(peer), 0);
    const waiting = (120_000 / HOST_TURN_MS) * HOST_MESSAGES_PER_TURN;
    expect(HOST_MESSAGE_RATE).toBeGreaterThanOrEqual((2 * HOST_MESSAGES_PER_TURN * 1000) / HOST_TURN_MS);
    for (let i = 0; i < waiting; i++) hosts.received(real(peer), encodeHosts([host(1, "leeching")]), 120_000);
    expect(peer.faults).toEqual([]);
  });
});

describe("at first hand", () => {
  const OTHER = "11".repeat(8);

  test("W25: a peer counts for the source address of its connection, and nothing that it says of others does", () => {
    const firstHand = new FirstHandHosts(1);
    const hosts = exchange("source", firstHand);
    const peer = new FakePeer(1);
    hosts.onExtendedHandshake(real(peer), 0);
    const own = { destination: OTHER, state: "done" } as const;
    const many = Array.from({ length: 20 }, (_, i) => host(i + 1, "done"));
    hosts.received(real(peer), encodeHosts(many, own), 0);
    expect([...firstHand.doneHosts()]).toEqual([["192.168.0.1", new Set([OTHER])]]);
  });

  test("a version that states no destination counts by the host that it names first, in its later messages too", () => {
    const firstHand = new FirstHandHosts(1);
    const hosts = exchange("source", firstHand);
    const peer = new FakePeer(1);
    hosts.onExtendedHandshake(real(peer), 0);
    hosts.received(real(peer), encodeHosts([host(1, "leeching"), host(2, "done")]), 0);
    expect([firstHand.size, firstHand.done, firstHand.needy]).toEqual([1, 0, 1]);
    hosts.received(real(peer), encodeHosts([host(2, "done"), host(3, "done")]), 0);
    expect(firstHand.done).toBe(0);
    hosts.received(real(peer), encodeHosts([host(1, "done")]), 0);
    expect([firstHand.size, firstHand.done, firstHand.needy]).toEqual([1, 1, 0]);
  });
});

describe("a peer of another program", () => {
  const PEER = peerHandle(1);

  test("that comes with the whole file is a source, one that fetches it is done", () => {
    const watch = new CompletionTracking();
    watch.updated(PEER, true, 0);
    watch.updated(PEER, true, 10);
    expect(watch.stateOf(PEER, true, 20)).toBe("source");
    const other = peerHandle(2);
    watch.updated(other, false, 0);
    expect(watch.stateOf(other, false, 0)).toBe("leeching");
    watch.updated(other, true, 50);
    expect(watch.stateOf(other, true, 50)).toBe("done");
  });

  test("that is silent is a leecher after a while", () => {
    const watch = new CompletionTracking();
    expect(watch.stateOf(PEER, false, 0)).toBe("unknown");
    expect(watch.stateOf(PEER, false, PIECE_STATE_PATIENCE_MS - 1)).toBe("unknown");
    expect(watch.stateOf(PEER, false, PIECE_STATE_PATIENCE_MS)).toBe("leeching");
    watch.forget(PEER);
    expect(watch.stateOf(PEER, false, PIECE_STATE_PATIENCE_MS)).toBe("unknown");
  });

  test.each<[Parameters<typeof stateToReport>[0], HostState | undefined, number, HostState | undefined]>([
    // seen, known, since, said of it; we are connected since NOW
    ["unknown", undefined, 0, undefined],
    ["leeching", undefined, 0, "leeching"],
    ["source", undefined, 0, "source"],
    ["done", undefined, 0, "done"],
    ["leeching", "leeching", NOW - 9, undefined],
    ["done", "leeching", NOW, "done"],
    ["source", "leeching", NOW, "done"],
    ["source", "done", NOW - 9, undefined],
    ["done", "source", NOW - 9, undefined],
    ["leeching", "done", NOW + 1, undefined],
    ["leeching", "done", NOW - 9, "leeching"],
    ["leeching", "left", NOW - 9, "leeching"],
  ])("seen %p where it is known as %p since %d is reported as %p", (seen, known, since, report) => {
    const entry = known === undefined ? undefined : host(1, known, since);
    expect(stateToReport(seen, entry, NOW)).toBe(report);
  });

  test.each<
    [Parameters<typeof firstHandStateOf>[0], Parameters<typeof firstHandStateOf>[1], string | undefined]
  >([
    ["unknown", undefined, undefined],
    ["leeching", undefined, "leeching"],
    ["source", undefined, "source"],
    ["leeching", "left", "leeching"],
    ["done", "leeching", "done"],
    // It came back complete after a connection that began incomplete.
    ["source", "left", "done"],
    // It threw the file away, or began complete: nothing shows that it has downloaded it.
    ["leeching", "source", "source"],
    ["done", "source", "source"],
    ["leeching", "done", "done"],
  ])("seen %p where it is %p at first hand is %p", (seen, known, state) => {
    expect(firstHandStateOf(seen, known)).toBe(state as ReturnType<typeof firstHandStateOf>);
  });
});
