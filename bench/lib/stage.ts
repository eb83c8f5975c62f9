// Where the runs with one file take place: the content, its torrent, and room for a second copy.
import { join } from "node:path";
import { pieceLengthFor } from "../../src/core/torrent/piece-length.ts";
import { GiB, MiB } from "../../src/lib/units.ts";
import { CONTENT_NAME } from "../contestants/contestant.ts";
import type { Workspace } from "./workspace.ts";
import { writeContent } from "./content-file.ts";
import { freeSpace } from "./file-system.ts";
import { availableMemory } from "./machine.ts";
import { sizeName } from "./size.ts";
import { writeTorrent } from "./torrent-file.ts";

export interface Stage {
  readonly workspace: Workspace;
  /** On the file system under test; holds the content and the torrent. */
  readonly folder: string;
  readonly content: string;
  readonly torrent: string;
  readonly size: number;
}

/** In a new folder in `parent`. @throws when two copies do not fit: better than to fill a disk or to make the machine swap. */
export function newStage(workspace: Workspace, parent: string, size: number): Stage {
  assertRoom(parent, size);
  const folder = workspace.folder(parent);
  const content = join(folder, CONTENT_NAME);
  const torrent = join(folder, "content.torrent");
  writeContent(content, size);
  writeTorrent(torrent, content, size, pieceLengthFor(size));
  return { workspace, folder, content, torrent, size };
}

/** @throws when two copies of `size` do not fit into the folder or, as the page cache keeps them, into the free memory. */
export function assertRoom(folder: string, size: number): void {
  const files = 2 * size + 256 * MiB;
  const told = (bytes: number) => `${(bytes / GiB).toFixed(1)} GiB`;
  const [space, memory] = [freeSpace(folder), availableMemory()];
  if (space < files)
    throw new Error(
      `${folder}: two copies of ${sizeName(size)} want ${told(files)}, ${told(space)} are free; give another --dir`,
    );
  if (memory < files + GiB)
    throw new Error(
      `two copies of ${sizeName(size)} want ${told(files + GiB)} of memory, ${told(memory)} are free: give a smaller size`,
    );
}
