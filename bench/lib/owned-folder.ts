// Folders in memory that say whose they are, so that the next run can remove those of a run that was killed.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Workspace } from "./workspace.ts";
import { isAlive, ownerOf } from "./net-namespace.ts";

/** Holds what ownerOf() says of the process that made the folder. */
const MARKER = "owner";

/** A new folder in `parent`, empty but for the marker. */
export function ownedFolder(workspace: Workspace, parent: string): string {
  const folder = workspace.folder(parent);
  writeFileSync(join(folder, MARKER), ownerOf(process.pid) ?? "");
  return folder;
}

/** Those in `parent` whose process is gone. */
export function sweepDeadFolders(parent: string): void {
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name);
    const marker = join(folder, MARKER);
    if (!name.startsWith("p2pfile-bench-") || !existsSync(marker)) continue;
    const owner = readFileSync(marker, "utf8");
    if (/^\d+-\d+$/.test(owner) && !isAlive(owner)) rmSync(folder, { recursive: true, force: true });
  }
}
