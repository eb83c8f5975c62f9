// Events of a transfer that concern a connection itself, not its messages.
import type { TransferEvent } from "../../core/transfer/transfer-types.ts";
import type { PeerConnection } from "./peer-connection.ts";

/** `haveNoneSent`: the peer was told that we have no piece, before the metadata was known. */
export function joined(peer: PeerConnection, haveNoneSent: boolean): TransferEvent {
  const { handle, fast, isOtherClient } = peer;
  return { type: "peerJoined", peer: handle, fast, haveNoneSent, otherClient: isOtherClient };
}

/** The limits of requests that the peer's extension handshake advertises. */
export function limitsOf({ handle, extended }: PeerConnection): TransferEvent[] {
  const { requestQueue: requests, requestLength: bytes } = extended ?? {};
  return [
    ...(requests === undefined ? [] : [{ type: "peerQueueLimit", peer: handle, requests } as const]),
    ...(bytes === undefined ? [] : [{ type: "peerRequestLength", peer: handle, bytes } as const]),
  ];
}
