// All jobs of a file one after the other in one thread: the work of a hash worker, cut as the pool cuts it, without a
// message per job.
import { HASH_JOB_LENGTH, HASH_WINDOW_LENGTH } from "../../src/hashing/limits.ts";
import { SHA1_LENGTH } from "../../src/lib/sha1.ts";
import { hashJob } from "../../workers/hash-job.ts";
import type { LoopReply, LoopRequest } from "./loop-messages.ts";

declare const self: {
  addEventListener(type: "message", listener: (event: { readonly data: LoopRequest }) => void): void;
  postMessage(reply: LoopReply, transfer: readonly ArrayBufferLike[]): void;
};

function hashAll({ path, length, pieceLength, io }: LoopRequest): Uint8Array<ArrayBuffer> {
  const jobLength = Math.max(1, Math.floor(HASH_JOB_LENGTH / pieceLength)) * pieceLength;
  const digests = new Uint8Array(Math.ceil(length / pieceLength) * SHA1_LENGTH);
  for (let offset = 0; offset < length; offset += jobLength) {
    const request = { type: "hash", job: 0, path, pieceLength, io, exclusive: false } as const;
    const some = hashJob({
      ...request,
      offset,
      length: Math.min(jobLength, length - offset),
      windowLength: HASH_WINDOW_LENGTH,
    });
    digests.set(some, (offset / pieceLength) * SHA1_LENGTH);
  }
  return digests;
}

self.addEventListener("message", ({ data }) => {
  try {
    const digests = hashAll(data);
    self.postMessage(digests, [digests.buffer]);
  } catch (error) {
    self.postMessage(error instanceof Error ? error.message : String(error), []);
  }
});
