import { describe, expect, test } from "bun:test";
import { FIRST_PEERS, PEER_PACE_MS, WANTED_PEERS } from "../../../src/core/swarm/limits.ts";
import { wantedPeers } from "../../../src/core/swarm/wanted-peers.ts";

describe("wantedPeers", () => {
  test("is a few until the first peer is there, and at that moment", () => {
    expect(wantedPeers(undefined, 1e9)).toBe(FIRST_PEERS);
    expect(wantedPeers(700, 700)).toBe(FIRST_PEERS);
  });

  test("grows by one at a time, and not above what a torrent wants", () => {
    expect(wantedPeers(700, 700 + PEER_PACE_MS - 1)).toBe(FIRST_PEERS);
    expect(wantedPeers(700, 700 + PEER_PACE_MS)).toBe(FIRST_PEERS + 1);
    const whole = (WANTED_PEERS - FIRST_PEERS) * PEER_PACE_MS;
    expect(wantedPeers(700, 700 + whole - 1)).toBe(WANTED_PEERS - 1);
    expect(wantedPeers(700, 700 + whole)).toBe(WANTED_PEERS);
    expect(wantedPeers(700, 700 + whole * 1000)).toBe(WANTED_PEERS);
  });
});
