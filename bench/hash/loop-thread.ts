// The main thread's end of the bare loop: one question, one answer, one at a time.
import type { LoopReply, LoopRequest } from "./loop-messages.ts";

export class LoopThread {
  readonly #worker = new Worker(new URL("./loop-worker.ts", import.meta.url).href);

  /** @returns 20 bytes per piece. @throws when the file cannot be hashed. */
  async hash(request: LoopRequest): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const onMessage = ({ data }: MessageEvent<LoopReply>): void => {
      if (typeof data === "string") reject(new Error(data));
      else resolve(data);
    };
    const onError = (event: ErrorEvent): void => reject(new Error(event.message));
    this.#worker.addEventListener("message", onMessage);
    this.#worker.addEventListener("error", onError);
    this.#worker.postMessage(request, []);
    try {
      return await promise;
    } finally {
      this.#worker.removeEventListener("message", onMessage);
      this.#worker.removeEventListener("error", onError);
    }
  }

  async close(): Promise<void> {
    this.#worker.terminate();
  }
}
