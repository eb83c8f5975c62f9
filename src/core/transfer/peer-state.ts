// What a transfer knows of one connected peer. Plain data; a comment names the part of the transfer that writes a field.
import { Bitfield } from "../torrent/bitfield.ts";
import type { Geometry } from "../torrent/geometry.ts";
import type { PeerHandle, PieceIndex } from "../torrent/ids.ts";
import type { PickerPeer } from "../picker/picker-types.ts";
import { leastWindow, RequestWindow } from "./request-window.ts";
import { UploadQueue } from "./upload-queue.ts";

export class PeerState implements PickerPeer {
  readonly handle: PeerHandle;
  /** Both sides speak the fast extension (BEP 6). */
  readonly fast: boolean;
  /** Pieces that the peer has. Replaced once, by its first bitfield. */
  bitfield: Bitfield;
  // Written by the picker.
  pickable = 0;
  wanted = 0;
  counted = false;
  readonly suggested: PieceIndex[] = [];
  // Choking and interest, as in BEP 3: both sides start choked and not interested.
  amChoking = true;
  amInterested = false;
  peerChoking = true;
  peerInterested = false;
  // Downloading, written by Downloads.
  readonly window: RequestWindow;
  /** Requests that timed out; an answer is still accepted. Length in bytes by block key. */
  readonly expired = new Map<number, number>();
  /** When the last accepted block arrived or the peer unchoked us, by the ReceiveClock. */
  lastBlockAt: number;
  /** When the peer last suggested a piece, or had suggested blocks outstanding. */
  suggestionsActiveAt = Number.NEGATIVE_INFINITY;
  snubbed = false;
  /** When the peer last rejected a request without choking us. */
  rejectedAt = Number.NEGATIVE_INFINITY;
  /** Payload bytes that were new. */
  downloaded = 0;
  /** Bytes of blocks that were not requested, or whose request was cancelled. */
  unrequested = 0;
  // Uploading, written by Uploads.
  readonly uploads = new UploadQueue();
  /** Payload bytes ordered for this peer and not yet taken by its socket. */
  uploadInFlight = 0;
  /** Turns that the peer sits out under a rate limit, after a request of several blocks. */
  turnsToSkip = 0;
  /** Payload bytes that the socket took. */
  uploaded = 0;
  /** `uploaded` at the last round of the choker. */
  uploadedAtLastRound = 0;
  /** Requests that we refused since the last unchoke. */
  badRequests = 0;

  /** True once the peer has suggested a piece. */
  get hasSuggested(): boolean {
    return this.suggestionsActiveAt > Number.NEGATIVE_INFINITY;
  }

  constructor(handle: PeerHandle, fast: boolean, geometry: Geometry, now: number) {
    this.handle = handle;
    this.fast = fast;
    this.bitfield = new Bitfield(geometry.pieceCount);
    this.window = new RequestWindow(leastWindow(geometry.pieceLength));
    this.lastBlockAt = now;
  }
}
