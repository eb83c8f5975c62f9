import { describe, expect, test } from "bun:test";
import { peerHandle } from "../../../src/core/torrent/ids.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";
import { joined, limitsOf } from "../../../src/session/peer/peer-events.ts";

const peer = peerHandle(7);
/** As much of a connection as its events tell. */
const connection = (parts: object) => ({ handle: peer, ...parts }) as unknown as PeerConnection;

describe("A peer that joins", () => {
  test.each([
    [true, false, true],
    [false, true, false],
  ])("fast: %p, another client: %p, told that we have nothing: %p", (fast, isOtherClient, haveNoneSent) => {
    expect(joined(connection({ fast, isOtherClient }), haveNoneSent)).toEqual({
      type: "peerJoined",
      peer,
      fast,
      haveNoneSent,
      otherClient: isOtherClient,
    });
  });
});

describe("The limits of a peer", () => {
  test("are how many requests it queues and how long one may be, each if it says so", () => {
    const requests = { type: "peerQueueLimit", peer, requests: 250 } as const;
    const length = { type: "peerRequestLength", peer, bytes: 131_072 } as const;
    const limits = (extended?: object) => limitsOf(connection({ extended }));
    expect(limits({ requestQueue: 250, requestLength: 131_072 })).toEqual([requests, length]);
    expect(limits({ requestQueue: 250 })).toEqual([requests]);
    expect(limits({ requestLength: 131_072 })).toEqual([length]);
    expect([limits({}), limits()]).toEqual([[], []]);
  });
});
