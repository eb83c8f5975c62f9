// Saves failing inputs in the temporary folder of the system, named by their content.
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha1 } from "../../../src/lib/sha1.ts";

/** @returns the path. */
export function saveInput(target: string, input: Uint8Array): string {
  const folder = join(tmpdir(), "p2pfile-fuzz");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${target}-${sha1(input).toHex().slice(0, 12)}`);
  writeFileSync(path, input);
  return path;
}
