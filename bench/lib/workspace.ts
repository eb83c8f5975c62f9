// Everything a benchmark leaves behind while it runs, folders and processes, and its removal: at the end, on an error,
// on Ctrl-C. Processes are ended by the handle they were started with.
import { mkdtempSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { Child, type ChildOptions } from "./child.ts";

export class Workspace {
  readonly #children = new Set<Child>();
  readonly #folders = new Set<string>();

  constructor() {
    process.on("exit", () => this.#clear());
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => process.exit(128 + constants.signals[signal]));
    }
  }

  /** A new empty folder in `parent`. */
  folder(parent: string): string {
    const path = mkdtempSync(join(parent, "p2pfile-bench-"));
    this.#folders.add(path);
    return path;
  }

  remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    this.#folders.delete(folder);
  }

  spawn(command: readonly string[], options: ChildOptions): Child {
    const child = new Child(command, options);
    this.#children.add(child);
    return child;
  }

  /** Ends the child now, if it has not ended, and waits for it. */
  async end(child: Child): Promise<void> {
    child.kill();
    await child.ended();
    this.#children.delete(child);
  }

  async close(): Promise<void> {
    for (const child of this.#children) await this.end(child);
    this.#clear();
  }

  #clear(): void {
    for (const child of this.#children) child.kill();
    for (const folder of this.#folders) this.remove(folder);
  }
}
