import { describe, expect, test } from "bun:test";
import { METADATA_MIN_BYTES_PER_MS, METADATA_TIMEOUT_MS } from "../../src/core/limits.ts";
import { MetadataSearch } from "../../src/session/metadata-search.ts";
import type { PeerConnection } from "../../src/session/peer-connection.ts";

const SMALL = 1000;
/** What a peer gets for metadata of that many bytes. */
const patience = (bytes: number) => METADATA_TIMEOUT_MS + bytes / METADATA_MIN_BYTES_PER_MS;

/** As much of a connection as the search uses. */
class FakePeer {
  readonly handle: number;
  asked = 0;
  cancelled = 0;
  #answer: (infoDict: Uint8Array | undefined) => void = () => {};
  readonly wire: { offeredMetadataLength: number | undefined; cancelMetadata: () => void };

  /** `offered`: bytes of metadata, or null for none. */
  constructor(handle: number, offered: number | null = SMALL) {
    this.handle = handle;
    const cancelMetadata = () => {
      this.cancelled++;
      this.#answer(undefined);
    };
    this.wire = { offeredMetadataLength: offered ?? undefined, cancelMetadata };
  }

  fetchMetadata(): Promise<Uint8Array | undefined> {
    this.asked++;
    return new Promise((resolve) => (this.#answer = resolve));
  }

  async answer(infoDict: Uint8Array | undefined): Promise<void> {
    this.#answer(infoDict);
    await Promise.resolve();
    await Promise.resolve();
  }
}

const real = (peers: readonly FakePeer[]) => peers as unknown as readonly PeerConnection[];
const dict = new Uint8Array([1, 2, 3]);

function aSearch() {
  const found: Uint8Array[] = [];
  return { found, search: new MetadataSearch((infoDict) => found.push(infoDict)) };
}

const asked = (peers: readonly FakePeer[]) => peers.map((peer) => peer.asked);

describe("MetadataSearch", () => {
  test("asks one peer at a time, and only peers that offer metadata", () => {
    const { search } = aSearch();
    const peers = [new FakePeer(1, null), new FakePeer(2), new FakePeer(3)];
    for (let now = 0; now < METADATA_TIMEOUT_MS; now += 500) search.tick(real(peers), now);
    expect(asked(peers)).toEqual([0, 1, 0]);
  });

  test("hands on what a peer delivers", async () => {
    const { search, found } = aSearch();
    const peer = new FakePeer(1);
    search.tick(real([peer]), 0);
    await peer.answer(dict);
    expect(found).toEqual([dict]);
  });

  test("passes a silent peer over for the next after its time, and takes its request back", () => {
    const { search } = aSearch();
    const peers = [new FakePeer(1), new FakePeer(2)];
    search.tick(real(peers), 1000);
    search.tick(real(peers), 1000 + patience(SMALL) - 1);
    expect(asked(peers)).toEqual([1, 0]);
    search.tick(real(peers), 1000 + patience(SMALL));
    expect([asked(peers), peers[0]!.cancelled]).toEqual([[1, 1], 1]);
  });

  test("larger metadata gets more time: a slow link of 100 kB/s is no silent peer", () => {
    const { search } = aSearch();
    const peers = [new FakePeer(1, 5_000_000), new FakePeer(2)];
    search.tick(real(peers), 0);
    search.tick(real(peers), 50_000);
    expect(asked(peers)).toEqual([1, 0]);
    search.tick(real(peers), patience(5_000_000));
    expect(asked(peers)).toEqual([1, 1]);
  });

  test("passes a peer that refuses over at the next beat", async () => {
    const { search, found } = aSearch();
    const peers = [new FakePeer(1), new FakePeer(2)];
    search.tick(real(peers), 0);
    await peers[0]!.answer(undefined);
    search.tick(real(peers), 100);
    expect([asked(peers), found]).toEqual([[1, 1], []]);
  });

  test("begins again when everybody has failed once", async () => {
    const { search, found } = aSearch();
    const peers = [new FakePeer(1), new FakePeer(2)];
    for (let now = 0; now < 500; now += 100) {
      search.tick(real(peers), now);
      for (const peer of peers) await peer.answer(undefined);
    }
    expect(Math.min(...asked(peers))).toBeGreaterThanOrEqual(2);
    search.tick(real(peers), 600);
    search.tick(real(peers), 700);
    for (const peer of peers) await peer.answer(dict);
    expect(found).toEqual([dict]);
  });

  test("goes on at once when the peer being asked leaves", () => {
    const { search } = aSearch();
    const peers = [new FakePeer(1), new FakePeer(2)];
    search.tick(real(peers), 0);
    search.forget(real(peers)[0]!);
    search.tick(real(peers.slice(1)), 100);
    expect(asked(peers)).toEqual([1, 1]);
  });

  test("a late answer of a peer that was passed over does not end the attempt of the next", async () => {
    const { search, found } = aSearch();
    const peers = [new FakePeer(1), new FakePeer(2), new FakePeer(3)];
    search.tick(real(peers), 0);
    search.tick(real(peers), patience(SMALL));
    await peers[0]!.answer(undefined);
    search.tick(real(peers), patience(SMALL) + 100);
    expect(asked(peers)).toEqual([1, 1, 0]);
    await peers[1]!.answer(dict);
    expect(found).toEqual([dict]);
  });

  test("does nothing while nobody offers metadata", () => {
    const { search } = aSearch();
    const peer = new FakePeer(1, null);
    for (let now = 0; now < 1000; now += 100) search.tick(real([peer]), now);
    peer.wire.offeredMetadataLength = 5;
    search.tick(real([peer]), 1000);
    expect(peer.asked).toBe(1);
  });
});
