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
  /** Connected at present. */
  readonly peers: number;
  readonly awaited: "metadata" | "byte";
  /** Pieces that failed their hash since one was right. */
  readonly wrongInARow: number;
}

/** `--timeout` is over. */
export function timeoutError({ label, timeoutSeconds, peers, awaited, wrongInARow }: Silence): P2pfileError {
  if (wrongInARow > 0) {
    return new IntegrityError(
      `${printable(label)}: no peer has good data: the last pieces that arrived were wrong (${wrongInARow}); check the seeds' disks and memory`,
    );
  }
  if (awaited === "metadata" && peers > 0) {
    const count = peers === 1 ? "1 peer" : `${peers} peers`;
    return new NoPeerError(
      `${printable(label)}: ${count}, none hands out metadata for ${timeoutSeconds} s; the seeds of a private torrent do not (BEP 27): give the address of one that does, such as p2pfile's`,
    );
  }
  return new NoPeerError(
    `${printable(label)}: no ${awaited} arrived for ${timeoutSeconds} s; check that a seed is up and that its address can be reached`,
  );
}
