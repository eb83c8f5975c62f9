import { describe, expect, test } from "bun:test";
import {
  BAN_MS,
  CLAIM_PATIENCE_MS,
  DIAL_PATIENCE_MS,
  FULL_BOOK_PAUSE_MS,
  MAX_BANNED_PORTS,
  MAX_BAN_MS,
  MAX_DIAL_FAILURES,
  MAX_KNOWN_PEERS,
  MAX_SELF_ADDRESSES,
  PEER_EXPIRY_MS,
  PINNED_BAN_MS,
  REDIAL_MIN_MS,
  REDIAL_OTHER_MIN_MS,
  REDIAL_PINNED_MAX_MS,
  STABLE_CONNECTION_MS,
} from "../../../src/core/swarm/limits.ts";
import { addressKey, type PeerAddress } from "../../../src/core/format/peer-address.ts";
import { unknownPortAt, PeerBook } from "../../../src/core/swarm/peer-book.ts";

const seeded = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
};
const address = (index: number): PeerAddress => ({
  host: `10.0.${(index / 7680) & 255}.${Math.floor((index % 7680) / 30) + 1}`,
  port: 42_070 + (index % 30),
});
const NAMER = "10.9.9.9";
const keys = (addresses: readonly PeerAddress[]) => addresses.map(addressKey).sort();
const [a, b, c] = [address(0), address(1), address(2)];

/** The waits between `count` dials that all fail. */
function waitsOf(book: PeerBook, subject: PeerAddress, count: number): number[] {
  const waits: number[] = [];
  let now = 0;
  for (let i = 0; i < count; i++) {
    book.dialing(subject, now);
    book.failed(subject, now);
    let wait = 1;
    while (wait < 100_000 && book.nextDials(now + wait, 1, Math.random).length === 0) wait++;
    waits.push(wait);
    now += wait;
  }
  return waits;
}

describe("PeerBook", () => {
  test("an address is dialled at once, and not again while it is being dialled or connected", () => {
    const book = new PeerBook();
    expect(book.add(a, "dht", 0)).toBe(true);
    expect(book.add(a, "pex", 0)).toBe(false);
    expect(book.nextDials(0, 10, seeded(1))).toEqual([a]);
    book.dialing(a, 0);
    expect(book.nextDials(0, 10, seeded(1))).toEqual([]);
    book.connected(a, 5);
    expect(book.nextDials(1e9, 10, seeded(1))).toEqual([]);
    expect(book.addresses()).toEqual([a]);
    expect(book.sourceOf(a)).toBe("dht");
  });

  test("a dial is under way until it succeeded or failed, or for as long as a living machine takes", () => {
    const book = new PeerBook();
    for (const each of [a, b, c]) book.add(each, "dht", 0);
    expect(book.dialsUnderWay(0)).toBe(0);
    book.dialing(a, 0);
    book.dialing(b, 100);
    expect(book.dialsUnderWay(100)).toBe(2);
    expect(book.dialsUnderWay(DIAL_PATIENCE_MS - 1)).toBe(2);
    expect(book.dialsUnderWay(DIAL_PATIENCE_MS)).toBe(1);
    book.connected(b, 200);
    expect(book.dialsUnderWay(200)).toBe(1);
    book.failed(a, 200);
    expect(book.dialsUnderWay(200)).toBe(0);
  });

  test("pinned addresses come first and the rest in an order that chance decides", () => {
    const orders = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      const book = new PeerBook();
      for (let i = 0; i < 6; i++) book.add(address(i), "dht", 0);
      book.add(address(6), "magnet", 0);
      book.add(address(7), "flag", 0);
      const dials = book.nextDials(0, 5, seeded(seed));
      expect(dials).toHaveLength(5);
      expect(keys(dials.slice(0, 2))).toEqual(keys([address(6), address(7)]));
      orders.add(dials.slice(2).map(addressKey).join());
    }
    expect(orders.size).toBeGreaterThan(10);
  });

  test("all 30 processes of one host are dialled together", () => {
    const book = new PeerBook();
    for (let i = 0; i < 30; i++) book.add(address(i), "dht", 0);
    const dials = book.nextDials(0, 100, seeded(1));
    expect(new Set(dials.map((dial) => dial.host)).size).toBe(1);
    expect(dials).toHaveLength(30);
  });

  test("fewer slots than pinned addresses are never exceeded", () => {
    const book = new PeerBook();
    for (let i = 0; i < 5; i++) book.add(address(i), i < 3 ? "flag" : "dht", 0);
    for (let slots = -1; slots <= 5; slots++) {
      expect(book.nextDials(0, slots, seeded(3))).toHaveLength(Math.max(0, slots));
    }
  });

  test("pinned addresses are dialled however many peers have connected, others only while there is room", () => {
    const book = new PeerBook();
    for (let i = 0; i < 6; i++) book.add(address(i), i < 2 ? "magnet" : "dht", 0);
    const dialled = (room: number) => book.nextDials(0, 5, seeded(1), room).length;
    expect([-1, 0, 1, 3, 10].map(dialled)).toEqual([2, 2, 3, 5, 5]);
  });

  test("64 pinned addresses that never answer do not keep another address from being dialled", () => {
    const book = new PeerBook();
    const slots = 32;
    for (let i = 0; i < 64; i++) book.add(address(i), "flag", 0);
    const seed = address(64);
    /** When each dial under way is given up. */
    const dials = new Map<PeerAddress, number>();
    for (let now = 0; now < 20_000; now += 100) {
      if (now === 1_000) book.add(seed, "dht", now);
      for (const [dialled, end] of dials) {
        if (now < end) continue;
        dials.delete(dialled);
        book.failed(dialled, now);
      }
      for (const dialled of book.nextDials(now, slots - dials.size, seeded(now + 1))) {
        if (addressKey(dialled) === addressKey(seed)) return expect(now).toBe(1_000);
        book.dialing(dialled, now);
        dials.set(dialled, now + 5_000);
      }
    }
    throw new Error("the seed was never dialled");
  });

  test("N1, N2, N5: a pinned address is retried for ever between 0.2 and 1.5 s", () => {
    const book = new PeerBook();
    book.add(a, "magnet", 0);
    const waits = waitsOf(book, a, 40);
    expect(waits.slice(0, 6)).toEqual([200, 400, 800, 1500, 1500, 1500]);
    expect(waits.at(-1)).toBe(REDIAL_PINNED_MAX_MS);
    expect(book.size).toBe(1);
  });

  test("any other address backs off from 1 s and is forgotten after a few failures", () => {
    const book = new PeerBook();
    book.add(a, "dht", 0);
    expect(waitsOf(book, a, MAX_DIAL_FAILURES - 1)).toEqual([1000, 2000, 4000, 8000]);
    book.failed(a, 1e6);
    expect(book.size).toBe(0);
    expect(book.add(a, "dht", 1e6)).toBe(true);
  });

  test("a known address that is named again keeps its back-off", () => {
    const book = new PeerBook();
    book.add(a, "dht", 0);
    book.failed(a, 0);
    book.add(a, "pex", 10);
    expect(book.nextDials(10, 1, seeded(1))).toEqual([]);
  });

  test("W20: an address that was given up is not new when it is named again, by whatever host", () => {
    const book = new PeerBook();
    book.add(a, "dht", 0);
    waitsOf(book, a, MAX_DIAL_FAILURES - 1);
    const now = 1e6;
    book.failed(a, now);
    expect(book.size).toBe(0);
    for (let i = 0; i < 10; i++) book.add(a, "pex", now + i, `10.9.0.${i}`);
    const wait = REDIAL_OTHER_MIN_MS * 2 ** (MAX_DIAL_FAILURES - 1);
    expect(book.nextDials(now + wait - 1, 1, seeded(1))).toEqual([]);
    expect(book.nextDials(now + wait, 1, seeded(1))).toEqual([a]);
    book.failed(a, now + wait);
    expect(book.size).toBe(0);
  });

  test("W20: hosts that name addresses have their turns, however many one of them names", () => {
    const book = new PeerBook();
    for (let i = 0; i < 1_000; i++) book.add(address(i), "exchange", 0, NAMER);
    const lone = [address(1_001), address(1_002)];
    book.add(lone[0]!, "dht", 0, "10.9.9.8");
    // Named by the namer of many first, and by another host after it.
    book.add(lone[1]!, "exchange", 0, NAMER);
    book.add(lone[1]!, "dht", 0, "10.9.9.7");
    const dials = [0, 1, 2].flatMap((now) => {
      const [next] = book.nextDials(now, 1, seeded(now + 1));
      book.dialing(next!, now);
      return [addressKey(next!)];
    });
    expect(dials).toContain(addressKey(lone[0]!));
    expect(dials).toContain(addressKey(lone[1]!));
  });

  test("W20: a claim keeps an unpinned address from being dialled once, for a time, and a pinned one not at all", () => {
    const book = new PeerBook();
    book.add(a, "dht", 0);
    book.add(address(30), "magnet", 0);
    for (const now of [0, 1, CLAIM_PATIENCE_MS - 1]) {
      for (const each of [a, address(30)]) book.claimed(each, now);
      expect(book.nextDials(now, 5, seeded(1))).toEqual([address(30)]);
    }
    expect(keys(book.nextDials(CLAIM_PATIENCE_MS, 5, seeded(1)))).toEqual(keys([a, address(30)]));
    expect(book.addresses()).toEqual([]);
  });

  test("W20: a full book in which nothing may be dialled is searched ten times a second, however often it is asked", () => {
    const book = new PeerBook();
    for (let i = 0; i < MAX_KNOWN_PEERS; i++) book.add(address(i), "exchange", 0, NAMER);
    let visits = 0;
    const closedGate = { mayDial: () => (visits++, false), take: () => false };
    for (let now = 0; now < 1_000; now += 10) {
      expect(book.nextDials(now, 5, seeded(1), 5, closedGate)).toEqual([]);
    }
    expect(visits).toBe(10 * MAX_KNOWN_PEERS);
    expect(book.nextDials(1_000, 5, seeded(1), 5)).toHaveLength(5);
  });

  test("a pinned address that was dialled longest ago comes first", () => {
    const book = new PeerBook();
    for (let i = 0; i < 20; i++) book.add(address(i), "magnet", 0);
    const dialled: string[] = [];
    for (let now = 1; now <= 2_000; now += 100) {
      for (const next of book.nextDials(now, 1, seeded(now))) {
        book.dialing(next, now);
        book.failed(next, now);
        dialled.push(addressKey(next));
      }
    }
    expect(new Set(dialled).size).toBe(20);
  });

  test("a lost connection re-enters the queue, with a clean record if it had lasted", () => {
    const book = new PeerBook();
    book.add(a, "dht", 0);
    for (let i = 0, now = 0; i < 20; i++, now += 100_000) {
      book.dialing(a, now);
      book.connected(a, now);
      const end = now + STABLE_CONNECTION_MS;
      book.disconnected(a, end);
      expect(book.nextDials(end + REDIAL_OTHER_MIN_MS - 1, 1, seeded(1))).toEqual([]);
      expect(book.nextDials(end + REDIAL_OTHER_MIN_MS, 1, seeded(1))).toEqual([a]);
    }
  });

  test("W22: a peer that hangs up at once is not dialled in a hot loop", () => {
    const pinnedBook = new PeerBook();
    pinnedBook.add(a, "magnet", 0);
    const book = new PeerBook();
    book.add(a, "dht", 0);
    let dials = 0;
    for (let now = 0; now < 60_000; now += 50) {
      for (const each of [book, pinnedBook]) {
        if (each.nextDials(now, 1, seeded(1)).length === 0) continue;
        each.dialing(a, now);
        each.connected(a, now);
        each.disconnected(a, now + 1);
        dials++;
      }
    }
    expect(book.size).toBe(0);
    expect(pinnedBook.size).toBe(1);
    expect(dials).toBeLessThan(50);
  });

  test("one end reported twice counts once", () => {
    const book = new PeerBook();
    book.add(a, "flag", 0);
    book.dialing(a, 0);
    book.failed(a, 0);
    book.disconnected(a, 0);
    book.failed(a, 0);
    expect(book.nextDials(REDIAL_MIN_MS, 1, seeded(1))).toEqual([a]);
  });

  test("C2, W16: an address of our own is dropped and never taken in again", () => {
    const book = new PeerBook();
    book.add(a, "magnet", 0);
    book.markSelf(a);
    expect(book.isSelf(a)).toBe(true);
    expect(book.isSelf(b)).toBe(false);
    expect(book.size).toBe(0);
    expect(book.add(a, "flag", 1)).toBe(false);
    book.failed(a, 2);
    expect(book.nextDials(1e9, 5, seeded(1))).toEqual([]);
  });

  test("remembers a bounded number of addresses of our own", () => {
    const book = new PeerBook();
    for (let i = 0; i < MAX_SELF_ADDRESSES + 10; i++) book.markSelf(address(i));
    const known = Array.from({ length: MAX_SELF_ADDRESSES + 10 }, (_, i) => book.isSelf(address(i)));
    expect(known.filter(Boolean)).toHaveLength(MAX_SELF_ADDRESSES);
  });

  test("W21: a banned peer that connects stays banned, until its time is over", () => {
    const book = new PeerBook();
    book.add(a, "incoming", 0);
    book.connected(a, 0);
    book.ban(a, 0);
    book.connected(a, 1000);
    expect(book.isBanned(a, BAN_MS - 1)).toBe(true);
    expect(book.addresses()).toEqual([]);
    book.connected(a, BAN_MS);
    expect([book.isBanned(a, BAN_MS), book.addresses()]).toEqual([false, [a]]);
  });

  test("W21: a ban doubles each time and survives the end of the connection", () => {
    const book = new PeerBook();
    book.add(a, "dht", 0);
    book.connected(a, 0);
    let now = 0;
    let expected = BAN_MS;
    for (let i = 0; i < 12; i++) {
      book.ban(a, now);
      book.disconnected(a, now + 1);
      expect(book.isBanned(a, now + expected - 1)).toBe(true);
      expect(book.nextDials(now + expected - 1, 1, seeded(1))).toEqual([]);
      now += expected;
      expect(book.isBanned(a, now)).toBe(false);
      expect(book.nextDials(now, 1, seeded(1))).toEqual([a]);
      expected = Math.min(expected * 2, MAX_BAN_MS);
    }
  });

  test("W21: a ban is for an address that was forgotten, too, and never for a host as long as few of it are banned", () => {
    const book = new PeerBook();
    for (let i = 1; i < MAX_BANNED_PORTS; i++) book.ban(address(i), 0);
    book.ban(address(1), 0);
    expect([book.isBanned(address(1), 1), book.isBanned(address(0), 1)]).toEqual([true, false]);
    expect(book.isBanned(unknownPortAt(a.host), 1)).toBe(false);
  });

  test("W21: a host with several banned addresses is refused for a time, and may be dialled", () => {
    const book = new PeerBook();
    book.add(a, "dht", 0);
    book.add(address(30), "flag", 0);
    for (let i = 30; i < 35; i++) book.ban(address(i), 0);
    for (let i = 1; i < MAX_BANNED_PORTS; i++) book.ban(address(i), 0);
    expect(book.isBanned(unknownPortAt(a.host), 1)).toBe(false);
    book.ban(address(MAX_BANNED_PORTS), 0);
    expect(book.isBanned(unknownPortAt(a.host), 1)).toBe(true);
    expect(book.isBanned(unknownPortAt(a.host), BAN_MS)).toBe(false);
    expect(keys(book.nextDials(1, 10, seeded(1)))).toEqual([addressKey(a)]);
  });

  test("W21: a peer that never advertised a listen port is banned by its host, and never dialled", () => {
    const book = new PeerBook();
    book.ban(unknownPortAt(a.host), 0);
    expect(book.isBanned(unknownPortAt(a.host), BAN_MS - 1)).toBe(true);
    expect(book.isBanned(unknownPortAt(address(30).host), 1)).toBe(false);
    expect(book.isBanned(a, 1)).toBe(false);
    expect(book.nextDials(10 * BAN_MS, 10, seeded(1))).toEqual([]);
    expect(book.addresses()).toEqual([]);
  });

  test("a banned address is remembered however often it fails afterwards", () => {
    const book = new PeerBook();
    book.add(a, "dht", 0);
    book.ban(a, 0);
    for (let i = 0, now = BAN_MS; i < 20; i++, now += 1e6) book.failed(a, now);
    expect(book.size).toBe(1);
  });

  test("W24: a pinned address is never banned but waits longer each time", () => {
    const book = new PeerBook();
    book.add(a, "magnet", 0);
    book.connected(a, 0);
    book.ban(a, 0);
    book.disconnected(a, 1);
    expect(book.isBanned(a, 1)).toBe(false);
    expect(book.nextDials(PINNED_BAN_MS - 1, 1, seeded(1))).toEqual([]);
    expect(book.nextDials(PINNED_BAN_MS, 1, seeded(1))).toEqual([a]);
    for (let i = 0; i < 20; i++) book.ban(a, PINNED_BAN_MS);
    expect(book.nextDials(PINNED_BAN_MS + BAN_MS, 1, seeded(1))).toEqual([a]);
  });

  test("naming an address on the command line lifts its ban and its back-off", () => {
    const book = new PeerBook();
    book.add(a, "dht", 0);
    book.ban(a, 0);
    book.add(a, "flag", 5);
    expect(book.sourceOf(a)).toBe("flag");
    expect(book.isBanned(a, 5)).toBe(false);
    expect(book.nextDials(5, 1, seeded(1))).toEqual([a]);
  });

  describe("when full", () => {
    const full = (source: "dht" | "pex" | "flag") => {
      const book = new PeerBook();
      for (let i = 0; i < MAX_KNOWN_PEERS; i++) book.add(address(i), source, 0, NAMER);
      return book;
    };
    const added = address(MAX_KNOWN_PEERS);

    test("W20: it never grows", () => {
      const book = full("pex");
      for (let i = 0; i < 500; i++) book.add(address(MAX_KNOWN_PEERS + i), i % 2 === 0 ? "flag" : "pex", i);
      expect(book.size).toBe(MAX_KNOWN_PEERS);
    });

    test("an address that failed makes room first", () => {
      const book = full("dht");
      book.failed(a, 0);
      expect(book.add(added, "pex", 1, NAMER)).toBe(true);
      expect(book.sourceOf(a)).toBeUndefined();
      expect(book.add(c, "pex", 1, NAMER)).toBe(false);
    });

    test("an address of a third party does not evict one of the same rank, until that is stale", () => {
      const book = full("dht");
      expect(book.add(added, "pex", 1, NAMER)).toBe(false);
      expect(book.add(added, "dht", PEER_EXPIRY_MS - 1, NAMER)).toBe(false);
      expect(book.add(added, "dht", PEER_EXPIRY_MS + FULL_BOOK_PAUSE_MS, NAMER)).toBe(true);
    });

    test("an address that a peer advertises of itself evicts one of a third party", () => {
      expect(full("pex").add(added, "incoming", 1)).toBe(true);
    });

    test("W20: one namer that fills it makes room for what another names, and takes nothing back", () => {
      const book = full("dht");
      expect(book.add(added, "pex", 1, "10.9.9.8")).toBe(true);
      for (let i = 1; i < 500; i++) book.add(address(MAX_KNOWN_PEERS + i), "dht", 1 + 1e6 * i, NAMER);
      expect([book.size, book.sourceOf(added)]).toEqual([MAX_KNOWN_PEERS, "pex"]);
    });

    test("pinned, connected, dialling and banned addresses stay", () => {
      const book = full("flag");
      expect(book.add(added, "magnet", 1e9)).toBe(false);
      const busy = full("dht");
      for (let i = 0; i < MAX_KNOWN_PEERS; i++) {
        if (i % 3 === 0) busy.dialing(address(i), 0);
        else if (i % 3 === 1) busy.connected(address(i), 0);
        else busy.ban(address(i), 0);
      }
      expect(busy.add(added, "magnet", 1)).toBe(false);
      expect(busy.isBanned(c, 1)).toBe(true);
    });
  });
});
