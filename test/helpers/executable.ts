// The path of the compiled executable, its sources, and whether it is older than they are.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

export const repositoryRoot = resolve(import.meta.dir, "../..");

/** P2PFILE_BINARY tests another build; its age is not checked. */
export const binaryPath = process.env["P2PFILE_BINARY"] ?? join(repositoryRoot, "dist/p2pfile");

/** Why the executable does not represent the current sources; undefined when it is up to date. */
export function staleness(): string | undefined {
  if (!existsSync(binaryPath)) return `${binaryPath} does not exist`;
  if (process.env["P2PFILE_BINARY"] !== undefined) return undefined;
  const built = statSync(binaryPath).mtimeMs;
  const newer = sourceFiles().find((path) => statSync(path).mtimeMs > built);
  return newer === undefined ? undefined : `${binaryPath} is older than ${newer}`;
}

/** Everything the executable is made from. */
function sourceFiles(): string[] {
  const inFolders = ["src", "workers"].flatMap((folder) =>
    readdirSync(join(repositoryRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return [
    ...inFolders,
    ...["build.ts", "package.json", "package-lock.json"].map((name) => join(repositoryRoot, name)),
  ];
}
