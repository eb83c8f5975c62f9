import { describe, expect, test } from "bun:test";
import { encodeHosts, HOST_EXCHANGE, parseHosts } from "../../../src/core/exchange/host-message.ts";
import type { HostState } from "../../../src/core/exchange/host-roster.ts";
import type { Report, ReportAnswer } from "../../../src/core/exchange/report-message.ts";
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { infoHashOf, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { silentLogger } from "../../helpers/silent-logger.ts";
import { encodePex, parsePex } from "../../../src/core/exchange/pex.ts";
import { RECENT_REQUEST_MS, REPORT_RETRY_MS } from "../../../src/core/exchange/limits.ts";
import { addressKey, type PeerAddress } from "../../../src/core/format/peer-address.ts";
import { Gossip } from "../../../src/session/exchange/gossip.ts";
import {
  DELIVERY_CHECK_MS,
  DELIVERY_GRACE_MS,
  PIECE_STATE_PATIENCE_MS,
} from "../../../src/session/exchange/limits.ts";
import { PEER_EXCHANGE, type PeerConnection } from "../../../src/session/peer/peer-connection.ts";
import { wallSeconds } from "../../../src/session/clock.ts";

const OWN: PeerAddress = { host: "10.0.0.1", port: 42_070 };
/** Three pieces of two blocks. */
const GEOMETRY = new Geometry(6 * BLOCK_LENGTH, 2 * BLOCK_LENGTH);
const LISTEN_PORT = 42_070;
const DESTINATION = "00".repeat(8);
const address = (last: number): PeerAddress => ({ host: `10.0.0.${last}`, port: 42_070 });

/** As much of a connection as the exchanges use. */
class FakePeer {
  readonly handle: number;
  readonly isOtherClient: boolean;
  readonly openedAt = 0;
  readonly remote: PeerAddress;
  readonly extended: {
    extensions: Map<string, number>;
    uploadOnly: boolean;
    collects: boolean;
    listenPort: number;
  };
  listenAddress: PeerAddress | undefined;
  hasAll = false;
  readonly isFlushed = true;
  onBlockSent: ((block: Block) => void) | undefined;
  readonly faults: string[] = [];
  /** States of hosts that it got. */
  readonly hosts: string[] = [];
  /** Addresses that it got by peer exchange, message by message. */
  readonly pex: string[][] = [];

  constructor(number: number, speaks: readonly string[] = [], isOtherClient = true) {
    this.handle = number;
    this.isOtherClient = isOtherClient;
    this.remote = { host: address(number).host, port: 50_000 };
    this.listenAddress = address(number);
    this.remote = { host: address(number).host, port: 50_000 + number };
    this.extended = {
      extensions: new Map(speaks.map((name, id) => [name, id + 1])),
      uploadOnly: false,
      collects: false,
      listenPort: LISTEN_PORT,
    };
  }

  get announced(): Bitfield {
    return this.hasAll ? Bitfield.full(GEOMETRY.pieceCount) : new Bitfield(GEOMETRY.pieceCount);
  }

  sendExtended(name: string, payload: Uint8Array): void {
    if (name !== HOST_EXCHANGE)
      return void this.pex.push(parsePex(payload)!.added.map(({ address }) => addressKey(address)));
    for (const { address, state } of parseHosts(payload)?.hosts ?? [])
      this.hosts.push(`${address.host} ${state}`);
  }

  close(fault: string): void {
    this.faults.push(fault);
  }
}

interface SentReport {
  readonly report: Report;
  readonly to: PeerAddress;
  readonly onAnswer: (answer: ReportAnswer) => void;
}

const real = (peer: FakePeer) => peer as unknown as PeerConnection;

function fixture(state: HostState = "leeching") {
  const peers: FakePeer[] = [];
  const learned: string[] = [];
  const advertised: string[] = [];
  const reports: SentReport[] = [];
  const now = { value: 0 };
  const gossip = new Gossip({
    own: OWN,
    destination: DESTINATION,
    hostsPerAddress: 1,
    infoHash: infoHashOf(new Uint8Array(20)),
    network: {
      reports: { send: (report, to, onAnswer) => void reports.push({ report, to, onAnswer }) },
      now: () => now.value,
      logger: silentLogger,
    },
    progress: () => 0.5,
    state,
    peers: () => peers.map(real),
    announced: (handle) => peers.find((peer) => peer.handle === Number(handle))?.announced,
    geometry: () => GEOMETRY,
    learn: (learnedAddress, source, namer) =>
      void learned.push(`${addressKey(learnedAddress)} ${source} of ${namer}`),
    onAdvertised: (peer, at) => void advertised.push(`${Number(peer.handle)} at ${addressKey(at)}`),
  });
  const join = (peer: FakePeer): FakePeer => {
    peers.push(peer);
    gossip.onExtendedHandshake(real(peer), 0);
    return peer;
  };
  return { peers, learned, advertised, gossip, join, reports, now };
}

const hosts = (...states: readonly HostState[]) =>
  encodeHosts(states.map((state, i) => ({ address: address(100 + i), state, since: wallSeconds() })));

describe("Addresses of third parties", () => {
  test("are learned from peer exchange", () => {
    const { gossip, join, learned } = fixture();
    const peer = join(new FakePeer(2, [PEER_EXCHANGE]));
    const message = encodePex({ added: [{ address: address(7), seed: false }], dropped: [] });
    gossip.onExtended(real(peer), PEER_EXCHANGE, message, 0);
    expect(learned).toEqual(["10.0.0.7:42070 pex of 10.0.0.2"]);
  });

  test("are learned from the host exchange where the host can give or needs data", () => {
    const { gossip, join, learned, advertised } = fixture();
    const peer = join(new FakePeer(2, [HOST_EXCHANGE], false));
    gossip.onExtended(real(peer), HOST_EXCHANGE, hosts("leeching", "source", "done", "left"), 0);
    expect(learned).toEqual([
      "10.0.0.100:42070 exchange of 10.0.0.2",
      "10.0.0.101:42070 exchange of 10.0.0.2",
    ]);
    gossip.onExtended(real(peer), HOST_EXCHANGE, hosts("leeching"), 0);
    expect(advertised).toEqual(["2 at 10.0.0.100:42070"]);
  });
});

describe("This host", () => {
  test("is sent to every peer that speaks the host exchange, with every change of its state", () => {
    const { gossip, join } = fixture();
    const peer = join(new FakePeer(2, [HOST_EXCHANGE], false));
    gossip.say("done");
    expect(peer.hosts).toEqual(["10.0.0.1 leeching", "10.0.0.1 done"]);
    gossip.forget(real(peer), true);
  });

  test.each([
    ["leeching", ["10.0.0.1 leeching", "10.0.0.1 left"]],
    ["source", ["10.0.0.1 source"]],
  ] as const)("sends its last state at the end: %s", (state, sent) => {
    const { gossip, join } = fixture(state);
    const peer = join(new FakePeer(2, [HOST_EXCHANGE], false));
    gossip.farewell();
    expect(peer.hosts).toEqual([...sent]);
  });
});

describe("A tick", () => {
  test("tells peers of other programs the connected peers, a new connection under the same handle too", () => {
    const { gossip, join } = fixture();
    const [peer] = [2, 3].map((number) => join(new FakePeer(number, [PEER_EXCHANGE])));
    gossip.tick(0, false);
    expect(peer!.pex).toEqual([["10.0.0.3:42070"]]);
    gossip.forget(real(peer!), true);
    gossip.tick(2_000, false);
    expect(peer!.pex).toEqual([["10.0.0.3:42070"], ["10.0.0.3:42070"]]);
  });
});

describe("A peer of another program", () => {
  test("that left is not remembered: a new connection under its handle begins anew", () => {
    const { gossip, join, peers } = fixture("source");
    const peer = join(new FakePeer(2));
    gossip.onMessage(real(peer), { type: "haveNone" }, 0);
    gossip.forget(real(peer), true);
    peers.splice(0);
    const next = join(new FakePeer(2));
    next.listenAddress = address(9);
    next.hasAll = true;
    gossip.onMessage(real(next), { type: "haveAll" }, 0);
    gossip.tick(100, true);
    expect(gossip.roster.get(address(9))?.state).toBe("source");
  });

  test("is tracked by the messages about its pieces, until it has downloaded the file", () => {
    const { gossip, join } = fixture("source");
    const peer = join(new FakePeer(2));
    gossip.onMessage(real(peer), { type: "haveNone" }, 0);
    gossip.tick(100, true);
    expect(gossip.roster.get(address(2))?.state).toBe("leeching");
    peer.hasAll = true;
    gossip.tick(200, true);
    expect(gossip.roster.get(address(2))?.state).toBe("done");
    expect([...gossip.firstHand.doneHosts().keys()]).toEqual(["10.0.0.2"]);
  });

  test("has the file from the start when it announces that at once, also by BEP 21", () => {
    for (const how of ["haveAll", "uploadOnly"] as const) {
      const { gossip, join } = fixture();
      const peer = join(new FakePeer(2));
      if (how === "haveAll") peer.hasAll = true;
      else peer.extended.uploadOnly = true;
      gossip.onMessage(real(peer), { type: "haveAll" }, 0);
      gossip.tick(100, true);
      expect(gossip.roster.get(address(2))?.state).toBe("source");
    }
  });

  test("that is silent lacks everything, after a while, and is not reported before the metadata is known", () => {
    const { gossip, join } = fixture("source");
    join(new FakePeer(2));
    gossip.tick(0, true);
    gossip.tick(PIECE_STATE_PATIENCE_MS, false);
    expect(gossip.roster.get(address(2))).toBeUndefined();
    gossip.tick(PIECE_STATE_PATIENCE_MS, true);
    expect(gossip.roster.get(address(2))?.state).toBe("leeching");
  });

  test("is not told to others while its listen address is unknown, and counts all the same", () => {
    const { gossip, join } = fixture("source");
    const peer = join(new FakePeer(2));
    peer.listenAddress = undefined;
    gossip.onMessage(real(peer), { type: "haveNone" }, 0);
    gossip.tick(100, true);
    expect([gossip.roster.size, gossip.isAnyHostNeedy, gossip.firstHand.needy]).toEqual([1, true, 1]);
    peer.hasAll = true;
    gossip.tick(200, true);
    expect(gossip.firstHand.done).toBe(1);
  });

  test("is not tracked when it speaks the host exchange, or is p2pfile", () => {
    const { gossip, join } = fixture("source");
    for (const peer of [new FakePeer(2, [HOST_EXCHANGE]), new FakePeer(3, [], false)]) {
      join(peer);
      gossip.onMessage(real(peer), { type: "haveNone" }, 0);
    }
    gossip.tick(PIECE_STATE_PATIENCE_MS, true);
    expect(gossip.roster.size).toBe(1);
  });
});

describe("A peer of another program that announces nothing to a seed", () => {
  const blocks = [0, 1, 2].flatMap((piece) =>
    [0, 1].map((index) => GEOMETRY.block(pieceIndex(piece), index)),
  );

  /** It requests the blocks at once; those before `sent` reach the socket. */
  function leeching(requested: readonly Block[], sent: number) {
    const all = fixture("source");
    const peer = all.join(new FakePeer(2));
    peer.listenAddress = undefined;
    for (const block of requested) all.gossip.onMessage(real(peer), { type: "request", block }, 0);
    for (const block of requested.slice(0, sent)) peer.onBlockSent?.(block);
    const done = () => [...all.gossip.firstHand.doneHosts().keys()];
    return { ...all, peer, done };
  }

  test("is done a moment after all blocks have been sent", () => {
    const { gossip, done, now } = leeching(blocks, blocks.length);
    for (now.value = DELIVERY_CHECK_MS; now.value < DELIVERY_GRACE_MS; now.value += DELIVERY_CHECK_MS) {
      gossip.tick(now.value, true);
      expect(done()).toEqual([]);
    }
    now.value = DELIVERY_CHECK_MS + DELIVERY_GRACE_MS;
    gossip.tick(now.value, true);
    expect(done()).toEqual(["10.0.0.2"]);
  });

  test("is done when it closes with nothing missing but what it has just requested", () => {
    const { gossip, peer, done } = leeching(blocks, 4);
    gossip.tick(0, true);
    gossip.forget(real(peer), true);
    expect(done()).toEqual(["10.0.0.2"]);
  });

  test("is not done when a block was never requested, when we close, or when the requests are old", () => {
    for (const [requested, byPeer, after] of [
      [blocks.slice(1), true, 0],
      [blocks, false, 0],
      [blocks, true, RECENT_REQUEST_MS + 1],
    ] as const) {
      const { gossip, peer, done, now } = leeching(requested, 3);
      gossip.tick(0, true);
      now.value = after;
      gossip.forget(real(peer), byPeer);
      expect(done()).toEqual([]);
      expect(gossip.firstHand.stateOf("10.0.0.2", "other program")).toBe("left");
    }
  });

  test("is no new host when it came complete", () => {
    const { gossip, join } = fixture("source");
    const peer = join(new FakePeer(2));
    peer.hasAll = true;
    gossip.onMessage(real(peer), { type: "haveAll" }, 0);
    gossip.tick(0, true);
    gossip.forget(real(peer), true);
    expect(gossip.firstHand.done).toBe(0);
  });
});

describe("Data is needed", () => {
  const TOKEN = new Uint8Array(8);

  /** We are done, and connected with a seed that collects reports. */
  function seeding() {
    const all = fixture();
    const seed = new FakePeer(9, [HOST_EXCHANGE], false);
    seed.hasAll = true;
    seed.extended.collects = true;
    all.join(seed);
    all.gossip.say("done");
    const answer = (needy: number) => all.reports.at(-1)?.onAnswer({ intervalMs: 1000, needy, token: TOKEN });
    return { ...all, seed, answer };
  }

  test("while a connected peer lacks it, whatever the collectors say", () => {
    const { gossip, answer, join } = seeding();
    answer(0);
    expect(gossip.isAnyHostNeedy).toBe(false);
    const peer = join(new FakePeer(2));
    expect(gossip.isAnyHostNeedy).toBe(true);
    peer.extended.uploadOnly = true;
    expect(gossip.isAnyHostNeedy).toBe(false);
  });

  test("while the collectors know of a host that lacks it, and while none answers", () => {
    const { gossip, answer, now } = seeding();
    expect(gossip.isAnyHostNeedy).toBe(true);
    answer(1);
    expect(gossip.isAnyHostNeedy).toBe(true);
    answer(0);
    expect(gossip.isAnyHostNeedy).toBe(false);
    now.value += 60_000;
    expect(gossip.isAnyHostNeedy).toBe(true);
  });

  test("whatever is hearsay", () => {
    const { gossip, answer, seed } = seeding();
    answer(0);
    gossip.onExtended(real(seed), HOST_EXCHANGE, hosts("source", "leeching", "leeching"), 0);
    expect(gossip.isAnyHostNeedy).toBe(false);
  });
});

describe("Reports", () => {
  const report = (state: Report["state"], destination = "ab".repeat(8)): Report => ({
    infoHash: infoHashOf(new Uint8Array(20)),
    destination,
    state,
    progress: 0,
    failure: 0,
    text: "",
  });

  test("count by the address that a token proves, and are told how many others lack data", () => {
    const { gossip } = fixture("source");
    expect(gossip.reported(report("leeching"), "10.0.0.7", false)).toBe(0);
    expect(gossip.firstHand.size).toBe(0);
    expect(gossip.reported(report("leeching"), "10.0.0.7", true)).toBe(0);
    expect(gossip.reported(report("done"), "10.0.0.8", true)).toBe(1);
    expect([...gossip.firstHand.doneHosts().keys()]).toEqual(["10.0.0.8"]);
  });

  test("are not taken by a host that downloads", () => {
    expect(fixture("leeching").gossip.reported(report("done"), "10.0.0.7", true)).toBeUndefined();
  });

  test("go to a peer that says that it collects, at the address of its connection, until the last one is answered", () => {
    const { gossip, join, reports, now } = fixture();
    const seed = new FakePeer(9, [HOST_EXCHANGE], false);
    seed.extended.collects = true;
    join(seed);
    gossip.say("done");
    expect(reports.map(({ report: { state, progress }, to }) => [state, progress, addressKey(to)])).toEqual([
      ["done", 500, `10.0.0.9:${LISTEN_PORT}`],
    ]);
    expect(gossip.isReported()).toBe(false);
    now.value += REPORT_RETRY_MS;
    expect([gossip.isReported(), reports.length]).toEqual([true, 2]);
    now.value = 0;
    reports[0]?.onAnswer({ intervalMs: 1000, needy: 0, token: new Uint8Array(8) });
    expect(gossip.isReported()).toBe(true);
  });

  test("of a failure carry its code and words, and peers hear that the host left", () => {
    const { gossip, join, reports } = fixture();
    const seed = new FakePeer(9, [HOST_EXCHANGE], false);
    seed.extended.collects = true;
    join(seed);
    gossip.fail({ code: 5, text: "disk full" });
    gossip.farewell();
    expect(reports.map(({ report: { state, failure, text } }) => [state, failure, text])).toEqual([
      ["failed", 5, "disk full"],
    ]);
    expect(seed.hosts.at(-1)).toBe("10.0.0.1 left");
  });
});
