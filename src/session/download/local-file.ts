// Finds or makes the file of one download: a complete one that stands at its destination already, or a part file with what
// it holds of an earlier run.
import { inspectDestination } from "../../storage/destination.ts";
import { removeStrayPart } from "../../storage/part-place.ts";
import { AdoptedFile } from "./adopted-file.ts";
import type { LocalFile, LocalFileOptions } from "./local-file-types.ts";
import { PartialFile } from "./partial-file.ts";

/**
 * Looks at what is there and checks it.
 * @throws DestinationError when another file stands at the final name or the directory cannot be used.
 * @throws BusyError when another process works on this download. @throws DiskError
 */
export async function openLocalFile(options: LocalFileOptions): Promise<LocalFile> {
  const { metainfo, directory } = options;
  const { name, geometry, infoHash } = metainfo;
  await removeStrayPart({ directory, name, infoHash });
  const found = await inspectDestination(directory, name, geometry.length);
  return found === "free" ? PartialFile.open(options) : AdoptedFile.open(options, found.sameSizePath);
}
