// What a program must offer to take part: a seed that serves the file and the command that fetches it.
import type { Child } from "../lib/child.ts";

/** Name of the file that is distributed, on both sides. */
export const CONTENT_NAME = "content.bin";
/** Both sides of each contestant. */
export const HOST = "127.0.0.1";
/** A seed that is not ready after this is broken: 16 GiB are hashed in it. */
export const SEED_TIMEOUT_MS = 60_000;

/** Where one run takes place. Everything lies on the file system under test. */
export interface Ground {
  /** The file to serve, named CONTENT_NAME. */
  readonly content: string;
  /** The same as a .torrent. */
  readonly torrent: string;
  /** Empty folder, the seed's working directory. */
  readonly seedFolder: string;
  /** Starts the seed there. It is watched from its first moment on. */
  readonly spawnSeed: (command: readonly string[]) => Child;
}

export interface Offer {
  readonly seed: Child;
  /** Fetches the file into its working directory, under its name, and exits with 0 when it is complete. */
  readonly leech: readonly string[];
  /** Reads from the output of the fetching side when its own code began, in milliseconds of Date.now(). */
  readonly begunAt?: (output: string) => number;
  /** Ends what the offer needs besides the seed. */
  readonly close?: () => Promise<void>;
}

export interface Contestant {
  readonly name: string;
  /** Undefined when it is not installed. */
  version(): string | undefined;
  /** Resolves when the file can be fetched. */
  start(ground: Ground): Promise<Offer>;
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: HOST, port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** Resolves when a process accepts connections there. @throws when none does in time. */
export async function waitForListener(port: number, seed: Child): Promise<void> {
  const deadline = performance.now() + SEED_TIMEOUT_MS;
  while (!seed.hasExited && performance.now() < deadline) {
    try {
      const socket = await Bun.connect({ hostname: HOST, port, socket: { data() {} } });
      socket.end();
      return;
    } catch {
      await Bun.sleep(20);
    }
  }
  throw new Error(`\`${seed.command.join(" ")}\` does not listen`);
}
