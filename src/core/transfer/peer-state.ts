// Everything a transfer knows of one connected peer. Plain data: the parts of the transfer that own a field say so.
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
  /** Replaced once, when the peer's own bitfield arrives. */
  bitfield: Bitfield;
  // Written by the picker.
  pickable = 0;
  wanted = 0;
  counted = false;
  readonly suggested: PieceIndex[] = [];
  // Choking and interest, in the words of BEP 3; both sides start choked and not interested.
  amChoking = true;
  amInterested = false;
  peerChoking = true;
  peerInterested = false;
  // Downloading, written by Downloads.
  readonly window: RequestWindow;
  /** Requests given up as too late whose answers may still arrive and are welcome then: length by block key. */
  readonly late = new Map<number, number>();
  /** By the ReceiveClock. */
  lastBlockAt: number;
  /** When it last suggested something or owed us blocks of what it had suggested. */
  steeredAt = Number.NEGATIVE_INFINITY;
  snubbed = false;
  /** When it last refused a block without choking us. */
  refusedAt = Number.NEGATIVE_INFINITY;
  downloaded = 0;
  /** Bytes of blocks it was not asked for, or whose request was taken back. */
  unasked = 0;
  // Uploading, written by Uploads.
  readonly uploads = new UploadQueue();
  /** Payload bytes ordered for this peer and not yet taken by its socket. */
  uploadInFlight = 0;
  /** Turns under a rate limit that it took ahead with a request of several blocks. */
  turnsTaken = 0;
  uploaded = 0;
  uploadedAtLastRound = 0;
  /** Requests that no well-behaved peer sends. */
  badRequests = 0;

  get hasSuggested(): boolean {
    return this.steeredAt > Number.NEGATIVE_INFINITY;
  }

  constructor(handle: PeerHandle, fast: boolean, geometry: Geometry, now: number) {
    this.handle = handle;
    this.fast = fast;
    this.bitfield = new Bitfield(geometry.pieceCount);
    this.window = new RequestWindow(leastWindow(geometry.pieceLength));
    this.lastBlockAt = now;
  }
}
