import { describe, expect, test } from "bun:test";
import {
  MAX_METADATA_FETCHES,
  METADATA_MIN_BYTES_PER_MS,
  METADATA_PATIENCE_MS,
  METADATA_TIMEOUT_MS,
  TICK_MS,
} from "../../../src/session/network/limits.ts";
import { METADATA_PIECE_LENGTH } from "../../../src/wire/limits.ts";
import { MetadataSearch } from "../../../src/session/network/metadata-search.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";

const SMALL = 1000;

/** As much of a connection as the search uses. */
class FakePeer {
  readonly handle: number;
  readonly remote: { readonly host: string };
  /** Attempts begun. */
  asked = 0;
  /** Asked once more within an attempt. */
  reminded = 0;
  cancelled = 0;
  #open = false;
  #answer: (infoDict: Uint8Array | undefined) => void = () => {};
  #onReceived: (bytes: number) => void = () => {};
  readonly wire: { offeredMetadataLength: number | undefined; cancelMetadata: () => void };

  /** `offered`: bytes of metadata, or null for none. */
  constructor(handle: number, offered: number | null = SMALL) {
    this.handle = handle;
    this.remote = { host: `10.0.0.${handle}` };
    const cancelMetadata = () => {
      this.cancelled++;
      this.#end(undefined);
    };
    this.wire = { offeredMetadataLength: offered ?? undefined, cancelMetadata };
  }

  get isAsked(): boolean {
    return this.#open;
  }

  fetchMetadata(onReceived: (bytes: number) => void = () => {}): Promise<Uint8Array | undefined> {
    if (this.#open) {
      this.reminded++;
      return Promise.resolve(undefined);
    }
    this.#open = true;
    this.#onReceived = onReceived;
    this.asked++;
    return new Promise((resolve) => (this.#answer = resolve));
  }

  give(bytes: number): void {
    if (this.#open) this.#onReceived(bytes);
  }

  async answer(infoDict: Uint8Array | undefined): Promise<void> {
    this.#end(infoDict);
    await Promise.resolve();
    await Promise.resolve();
  }

  #end(infoDict: Uint8Array | undefined): void {
    this.#open = false;
    this.#answer(infoDict);
  }
}

const real = (peers: readonly FakePeer[]) => peers as unknown as readonly PeerConnection[];
const dict = new Uint8Array([1, 2, 3]);
const asked = (peers: readonly FakePeer[]) => peers.map((peer) => peer.asked);
const several = (count: number, offered = SMALL) =>
  Array.from({ length: count }, (_, i) => new FakePeer(i + 1, offered));

class Fixture {
  readonly found: Uint8Array[] = [];
  /** Numbers of peers that the user named. */
  readonly pinned = new Set<number>();
  readonly search = new MetadataSearch({
    onFound: (infoDict) => void this.found.push(infoDict),
    isPinned: ({ handle }) => this.pinned.has(handle),
  });
  readonly peers: readonly FakePeer[];
  now = 0;

  constructor(peers: readonly FakePeer[]) {
    this.peers = peers;
    this.search.tick(real(peers), 0);
  }

  /** With `each` before every tick. */
  async pass(milliseconds: number, each: () => unknown = () => {}): Promise<void> {
    const end = this.now + milliseconds;
    while (this.now < end) {
      this.now = Math.min(end, this.now + TICK_MS);
      await each();
      this.search.tick(real(this.peers), this.now);
      expect(this.peers.filter(({ isAsked }) => isAsked).length).toBeLessThanOrEqual(MAX_METADATA_FETCHES);
    }
  }
}

describe("MetadataSearch", () => {
  test("asks one peer while it is in time, and only peers that offer metadata", async () => {
    const fixture = new Fixture([new FakePeer(1, null), new FakePeer(2), new FakePeer(3)]);
    await fixture.pass(METADATA_PATIENCE_MS);
    expect(asked(fixture.peers)).toEqual([0, 1, 0]);
  });

  test("hands on what a peer delivers", async () => {
    const fixture = new Fixture(several(1));
    await fixture.peers[0]!.answer(dict);
    expect(fixture.found).toEqual([dict]);
  });

  test("W19: a silent peer costs a second: then the next is asked beside it, and it keeps its attempt", async () => {
    const fixture = new Fixture(several(2, 8_000_000));
    await fixture.pass(METADATA_PATIENCE_MS);
    expect(asked(fixture.peers)).toEqual([1, 0]);
    await fixture.pass(TICK_MS);
    expect(asked(fixture.peers)).toEqual([1, 1]);
    expect(fixture.peers.map(({ cancelled }) => cancelled)).toEqual([0, 0]);
  });

  test("the first peer that delivers ends the attempts of the others", async () => {
    const fixture = new Fixture(several(3));
    await fixture.pass(2 * METADATA_PATIENCE_MS + 2 * TICK_MS);
    expect(asked(fixture.peers)).toEqual([1, 1, 1]);
    await fixture.peers[0]!.answer(dict);
    expect(fixture.found).toEqual([dict]);
    expect(fixture.peers.map(({ isAsked }) => isAsked)).toEqual([false, false, false]);
    expect(fixture.peers.map(({ cancelled }) => cancelled)).toEqual([0, 1, 1]);
  });

  test("a peer that sends more than 100 kB/s is no silent one, and gets company after the timeout all the same", async () => {
    const fixture = new Fixture(several(2, 5_000_000));
    const perTick = TICK_MS * METADATA_MIN_BYTES_PER_MS;
    await fixture.pass(METADATA_TIMEOUT_MS - TICK_MS, () => fixture.peers[0]!.give(perTick));
    expect(asked(fixture.peers)).toEqual([1, 0]);
    await fixture.pass(TICK_MS, () => fixture.peers[0]!.give(perTick));
    expect([asked(fixture.peers), fixture.peers[0]!.isAsked]).toEqual([[1, 1], true]);
  });

  test("W19: a pinned peer is asked at once, beside strangers that are just fast enough or in place of one, and is not cancelled", async () => {
    const peers = several(MAX_METADATA_FETCHES + 3, 8_000_000);
    const fixture = new Fixture(peers);
    const perTick = TICK_MS * METADATA_MIN_BYTES_PER_MS;
    const strangers = peers.slice(0, -1);
    await fixture.pass(MAX_METADATA_FETCHES * METADATA_TIMEOUT_MS, () => {
      for (const stranger of strangers) stranger.give(perTick);
    });
    const seed = peers.at(-1)!;
    expect([seed.asked, peers.filter(({ isAsked }) => isAsked).length]).toEqual([0, MAX_METADATA_FETCHES]);
    fixture.pinned.add(seed.handle);
    await fixture.pass(TICK_MS);
    expect(seed.isAsked).toBe(true);
    await fixture.pass(60_000, () => {
      for (const stranger of strangers) stranger.give(perTick);
    });
    expect(seed).toMatchObject({ asked: 1, cancelled: 0, isAsked: true });
  });

  test("W17: the peer that delivered it is known as its giver, and one of its host when it is gone", async () => {
    const [giver, other] = several(2);
    const fixture = new Fixture([giver!, other!]);
    await giver!.answer(dict);
    const isGiver = (peer: FakePeer) => fixture.search.isGiver(real([peer])[0]!);
    expect([isGiver(giver!), isGiver(other!)]).toEqual([true, false]);
    const [again, third] = [new FakePeer(1), new FakePeer(1)];
    expect(isGiver(again)).toBe(false);
    fixture.search.forget(real([giver!])[0]!);
    expect([isGiver(again), isGiver(other!)]).toEqual([true, false]);
    fixture.search.joined(real([again])[0]!);
    expect([isGiver(again), isGiver(third)]).toEqual([true, false]);
  });

  test("W19: behind three silent peers and one that trickles the honest fifth is asked within five seconds", async () => {
    const peers = several(5, 8_000_000);
    const fixture = new Fixture(peers);
    // Silence, or a byte now and then to look alive.
    await fixture.pass(METADATA_TIMEOUT_MS + METADATA_PATIENCE_MS, () => peers[3]!.give(1));
    expect(asked(peers)).toEqual([1, 1, 1, 1, 1]);
  });

  test("at the limit the attempt that received least is cancelled, and never the one that received most", async () => {
    const peers = several(12, 8_000_000);
    const fixture = new Fixture(peers);
    await fixture.pass(30_000, () => peers[1]!.give(METADATA_PIECE_LENGTH / 16));
    expect(peers[1]).toMatchObject({ asked: 1, cancelled: 0, isAsked: true });
    expect(Math.min(...asked(peers))).toBeGreaterThanOrEqual(1);
  });

  test("a peer whose attempt was cancelled is asked again in time, after those that were not asked yet", async () => {
    const peers = several(6);
    const fixture = new Fixture(peers);
    await fixture.pass(60_000);
    expect(Math.min(...asked(peers))).toBeGreaterThanOrEqual(2);
    expect(Math.max(...asked(peers))).toBeLessThan(20);
  });

  test("the only peer is not given up: it keeps what came and is asked again for the rest", async () => {
    const fixture = new Fixture(several(1, 100_000));
    const [peer] = fixture.peers;
    fixture.peers[0]!.give(METADATA_PIECE_LENGTH);
    await fixture.pass(METADATA_TIMEOUT_MS);
    expect(peer).toMatchObject({ asked: 1, cancelled: 0, reminded: 0 });
    await fixture.pass(TICK_MS);
    expect(peer).toMatchObject({ asked: 1, cancelled: 0, reminded: 1 });
    await fixture.pass(2 * METADATA_TIMEOUT_MS);
    expect(peer).toMatchObject({ asked: 1, cancelled: 0, reminded: 3 });
  });

  test("passes a peer that refuses over at the next tick", async () => {
    const fixture = new Fixture(several(2));
    await fixture.peers[0]!.answer(undefined);
    await fixture.pass(TICK_MS);
    expect([asked(fixture.peers), fixture.found]).toEqual([[1, 1], []]);
  });

  test("a peer that always refuses beside a silent one is asked again now and then, not at every tick", async () => {
    const fixture = new Fixture(several(2));
    await fixture.pass(20_000, () => fixture.peers[1]!.answer(undefined));
    expect(fixture.peers[1]!.asked).toBeGreaterThan(2);
    expect(fixture.peers[1]!.asked).toBeLessThanOrEqual(1 + 20_000 / METADATA_TIMEOUT_MS);
  });

  test("B10: begins again when every peer has failed once", async () => {
    const fixture = new Fixture(several(2));
    await fixture.pass(500, async () => {
      for (const peer of fixture.peers) await peer.answer(undefined);
    });
    expect(Math.min(...asked(fixture.peers))).toBeGreaterThanOrEqual(2);
    await fixture.pass(2 * TICK_MS);
    for (const peer of fixture.peers) await peer.answer(dict);
    expect(fixture.found.length).toBeGreaterThan(0);
  });

  test("goes on at once when the peer being asked leaves", () => {
    const fixture = new Fixture(several(2));
    fixture.search.forget(real(fixture.peers)[0]!);
    fixture.search.tick(real(fixture.peers.slice(1)), 100);
    expect(asked(fixture.peers)).toEqual([1, 1]);
  });

  test("a late end of an attempt that was cancelled does not end the next one's", async () => {
    const peers = several(MAX_METADATA_FETCHES + 1);
    const fixture = new Fixture(peers);
    await fixture.pass(METADATA_TIMEOUT_MS + METADATA_PATIENCE_MS);
    expect([peers[0]!.cancelled, peers.at(-1)!.isAsked]).toEqual([1, true]);
    await peers[0]!.answer(undefined);
    await peers.at(-1)!.answer(dict);
    expect(fixture.found).toEqual([dict]);
  });

  test("does nothing while no peer offers metadata", async () => {
    const peer = new FakePeer(1, null);
    const fixture = new Fixture([peer]);
    await fixture.pass(1000);
    peer.wire.offeredMetadataLength = 5;
    await fixture.pass(TICK_MS);
    expect(peer.asked).toBe(1);
  });
});
