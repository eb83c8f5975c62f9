// The resources of one end-to-end test: temporary directories, loopback addresses, and processes that are ended by process id
// after the test, also when it fails or times out.
import { afterEach } from "bun:test";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child, type ChildOptions } from "./child.ts";

/** The second octet differs between concurrent test processes; the third and fourth count addresses. */
const network = Number(process.env["P2PFILE_TEST_NETWORK"] ?? 16 + (process.pid % 200));
let addressesUsed = 0;

export class TestFixture {
  #children: Child[] = [];
  #directories: string[] = [];
  #cleanups: (() => Promise<void> | void)[] = [];

  /** A new empty directory that every user may enter, so that tests may drop their privileges. */
  directory(name = "fixture"): string {
    const path = mkdtempSync(join(tmpdir(), `p2pfile-${name}-`));
    chmodSync(path, 0o755);
    this.#directories.push(path);
    return path;
  }

  /** An address in 127.0.0.0/8 that no other test uses, so that all ports on it are free. */
  address(): string {
    addressesUsed++;
    return `127.${network}.${1 + (Math.floor(addressesUsed / 250) % 250)}.${1 + (addressesUsed % 250)}`;
  }

  spawn(command: readonly string[], options: ChildOptions): Child {
    return this.adopt(new Child(command, options));
  }

  /** Makes this fixture end `child`. */
  adopt<C extends Child>(child: C): C {
    this.#children.push(child);
    return child;
  }

  /** Runs after the processes have ended, last in first out. */
  onEnd(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup);
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.end()));
    for (const cleanup of this.#cleanups.toReversed()) await cleanup();
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
    this.#children = [];
    this.#cleanups = [];
    this.#directories = [];
  }
}

/** Call at the top of a test file: the fixture is emptied after every test. */
export function useTestFixture(): TestFixture {
  const fixture = new TestFixture();
  afterEach(() => fixture.end());
  return fixture;
}
