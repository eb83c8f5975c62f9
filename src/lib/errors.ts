// Every error that a user can see: one line that names the thing and the remedy, and the exit code of the process.
// A misbehaving peer is not an error but a PeerFault value (core/torrent/peer-message.ts).

/** The exit codes of the command line contract. 130 and 143 are SIGINT and SIGTERM. */
export const ExitCode = {
  done: 0,
  bug: 1,
  usage: 2,
  source: 3,
  destination: 4,
  disk: 5,
  noPeer: 6,
  integrity: 7,
  busy: 8,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Base of all errors thrown on purpose. `message` is one line for the user; `cause` is for `--debug`. */
export abstract class P2pfileError extends Error {
  abstract readonly exitCode: ExitCode;
}

/** Wrong flag, wrong value, broken magnet, port taken, unknown configuration key. */
export class UsageError extends P2pfileError {
  override readonly name = "UsageError";
  readonly exitCode = ExitCode.usage;
}

/** The file to serve cannot be used: missing, directory, empty, unreadable, not a regular file. */
export class SourceError extends P2pfileError {
  override readonly name = "SourceError";
  readonly exitCode = ExitCode.source;
}

/** The destination of a download cannot be used, or another file stands there. */
export class DestinationError extends P2pfileError {
  override readonly name = "DestinationError";
  readonly exitCode = ExitCode.destination;
}

/** Disk full, quota, or an I/O error. */
export class DiskError extends P2pfileError {
  override readonly name = "DiskError";
  readonly exitCode = ExitCode.disk;
}

/** No metadata or no byte arrived within `--timeout`. */
export class NoPeerError extends P2pfileError {
  override readonly name = "NoPeerError";
  readonly exitCode = ExitCode.noPeer;
}

/** Content is not what its hash says: a source that changed, metadata that no client could use. */
export class IntegrityError extends P2pfileError {
  override readonly name = "IntegrityError";
  readonly exitCode = ExitCode.integrity;
}

/** Another process works on the same download. */
export class BusyError extends P2pfileError {
  override readonly name = "BusyError";
  readonly exitCode = ExitCode.busy;
}

/** Our own bug. */
export class InvariantError extends P2pfileError {
  override readonly name = "InvariantError";
  readonly exitCode = ExitCode.bug;
}

/** The `code` of a system error ("ENOENT"), or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
