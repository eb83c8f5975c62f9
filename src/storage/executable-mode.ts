// The executable bits of a downloaded file. Whether it gets them is for the user's magnet to say, never for a peer.
import { fchmod } from "node:fs";
import { promisify } from "node:util";
import { systemErrorCode } from "../lib/errors.ts";
import { statsOf } from "./file-stamp.ts";

const changeMode: (fd: number, mode: number) => Promise<void> = promisify(fchmod);
const PERMISSIONS = 0o777n;
const EXECUTE = 0o111n;

export function isExecutable(mode: bigint): boolean {
  return (mode & EXECUTE) !== 0n;
}

/** The permissions of a file with `mode`, with every executable bit that `umask` leaves; without setuid, setgid and sticky bit. */
export function executableMode(mode: bigint, umask: number): number {
  return Number((mode & PERMISSIONS) | (EXECUTE & ~BigInt(umask)));
}

/** @returns undefined, or the system's error code: some file systems keep no modes. */
export async function makeExecutable(fd: number): Promise<string | undefined> {
  try {
    await changeMode(fd, executableMode((await statsOf(fd)).mode, process.umask()));
    return undefined;
  } catch (error) {
    return systemErrorCode(error) ?? String(error);
  }
}
