// The message loop of a hash worker: one reply per request, and failure is a reply. Must not know torrents, peers or
// expected digests.
import { hashSlice } from "./hash-slice.ts";
import { storeJob } from "./store-job.ts";
import { systemErrorCode } from "../src/lib/errors.ts";
import type { HashReply, WorkerRequest } from "../src/hashing/messages.ts";

declare const self: {
  addEventListener(type: "message", listener: (event: { readonly data: WorkerRequest }) => void): void;
  postMessage(reply: HashReply, transfer: readonly ArrayBufferLike[]): void;
};

self.addEventListener("message", ({ data: request }) => {
  // A throw would end the worker, so nothing may escape.
  try {
    const digests = request.type === "store" ? storeJob(request) : hashSlice(request);
    self.postMessage({ type: "hashed", job: request.job, digests }, [digests.buffer]);
  } catch (error) {
    const code = systemErrorCode(error) ?? "EUNKNOWN";
    const message = error instanceof Error ? error.message : String(error);
    self.postMessage({ type: "failed", job: request.job, code, message }, []);
  }
});

self.postMessage({ type: "ready" }, []);
