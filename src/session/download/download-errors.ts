// Why a magnet cannot be fetched, in words for the user.
import { printable } from "../../core/format/file-name.ts";
import { DestinationError, IntegrityError, NoPeerError, type P2pfileError } from "../../lib/errors.ts";

/** The metadata is right by its hash and of no use here. */
export function unusableTorrent({ error }: { readonly error: string }): P2pfileError {
  const message = `the torrent cannot be used: ${error}`;
  return error.startsWith("the file name") ? new DestinationError(message) : new IntegrityError(message);
}

export interface Silence {
  /** Name of the download towards the user. */
  readonly label: string;
  readonly timeoutSeconds: number;
  readonly awaited: "metadata" | "byte";
  /** Pieces that failed their hash since one was right. */
  readonly wrongInARow: number;
}

/** `--timeout` is over. */
export function timeoutError({ label, timeoutSeconds, awaited, wrongInARow }: Silence): P2pfileError {
  if (wrongInARow > 0) {
    return new IntegrityError(
      `${printable(label)}: no peer has good data: the last pieces that arrived were wrong (${wrongInARow}); check the seeds' disks and memory`,
    );
  }
  return new NoPeerError(
    `${printable(label)}: no ${awaited} arrived for ${timeoutSeconds} s; check that a seed is up and that its address can be reached`,
  );
}
