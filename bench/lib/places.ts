// `--on tmpfs,disk` and `--dir`: the folders a benchmark puts its files into, one after the other.
import { fileSystemOf } from "./file-system.ts";
import { SHARED_MEMORY } from "./warm-pages.ts";

/** @param directory what "disk" means. Left out, with a word on stderr, when it is no disk. @throws on another word. */
export function placesOf(on: string, directory: string): string[] {
  const places = new Map([
    ["tmpfs", SHARED_MEMORY],
    ["disk", directory],
  ]);
  return on.split(",").flatMap((word) => {
    const folder = places.get(word);
    if (folder === undefined) throw new Error(`--on ${word}: is neither tmpfs nor disk`);
    if (word !== "disk" || fileSystemOf(folder) !== "tmpfs") return [folder];
    console.error(`${folder} is no disk: give --dir`);
    return [];
  });
}
