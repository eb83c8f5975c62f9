// The one message to the thread of the bare loop. Its answer are the digests, or the reason why there are none.

export interface LoopRequest {
  /** Absolute. */
  readonly path: string;
  readonly length: number;
  readonly pieceLength: number;
  readonly io: "map" | "pread";
}

export type LoopReply = Uint8Array | string;
