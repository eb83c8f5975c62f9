// Shared by the storage tests: a temporary folder, seeded chance, small file systems that can be filled, and the error of a
// promise.
import { afterAll } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../src/lib/logger.ts";

/** A folder for one test file, removed with everything in it, mounts included. */
export class StorageFixture {
  readonly path = mkdtempSync(join(tmpdir(), "p2pfile-storage-"));
  readonly #mounts: string[] = [];
  #count = 0;

  constructor() {
    afterAll(() => {
      for (const mount of this.#mounts) Bun.spawnSync(["umount", "-l", mount]);
      rmSync(this.path, { recursive: true, force: true });
    });
  }

  /** A new empty folder. */
  folder(): string {
    const path = join(this.path, String(++this.#count));
    mkdirSync(path);
    return path;
  }

  /** A new tmpfs of `size` bytes, or undefined (and a visible line) where mounting is not permitted. */
  smallDisk(size: number): string | undefined {
    return this.mount("tmpfs", `size=${size},mode=755`);
  }

  /** A new file system of this type, or undefined (and a visible line) where mounting is not permitted. */
  mount(type: string, options: string): string | undefined {
    const path = this.folder();
    const { success } = Bun.spawnSync(["mount", "-t", type, "-o", options, "p2pfile-test", path]);
    if (!success) {
      console.warn(`SKIPPED: a file system of type ${type} cannot be mounted here`);
      return undefined;
    }
    this.#mounts.push(path);
    return path;
  }
}

/** The time of day in these tests. */
export const wallMs = (): number => 1_795_223_434_335;

/** P2PFILE_TEST_SEED repeats a run. */
export function printedSeed(name: string): number {
  const seed = Number(process.env["P2PFILE_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
  console.info(`${name}: seed ${seed}`);
  return seed;
}

export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not fail");
}

export class RecordingLogger implements Logger {
  readonly warnings: string[] = [];
  debug(): void {}
  info(): void {}
  warn(message: string): void {
    this.warnings.push(message);
  }
}
