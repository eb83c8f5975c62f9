// The decoded command line: what `serve` and `download` need to know, checked and in base units.
import type { PeerAddress } from "../core/format/peer-address.ts";

export interface NodeOptions {
  /** Given with --ip: advertised and bound. Undefined: found from the default route, bound to all interfaces. */
  readonly ip: string | undefined;
  /** A fixed port, or undefined for a random one within `portRange`. */
  readonly port: number | undefined;
  readonly portRange: { readonly first: number; readonly last: number };
  readonly peers: readonly PeerAddress[];
  /** `--allow`: further networks that count as private, as "192.0.2.0/24". */
  readonly allow: readonly string[];
  /** Bytes per second for the whole process; 0 is unlimited. */
  readonly uploadLimit: number;
  readonly downloadLimit: number;
}

export interface ServeOptions extends NodeOptions {
  /** As given on the command line. */
  readonly files: readonly string[];
  /** `--magnet`: serve again under this one. */
  readonly magnet: string | undefined;
  /** `--until-done`: ends when so many hosts have every file; undefined: never. */
  readonly untilDone: number | undefined;
  /** `--hosts-per-address`: destinations of one address that are counted. */
  readonly hostsPerAddress: number;
}

export interface DownloadOptions extends NodeOptions {
  readonly magnets: readonly string[];
  /** `--dir`. */
  readonly directory: string;
  /** `-o`, instead of `--dir`: a directory or a file's name, as what stands there decides. */
  readonly output: string | undefined;
  readonly seeding: boolean;
  readonly seedingSeconds: number;
  /** Uploaded / size. */
  readonly seedingRatio: number;
  /** 0 waits for ever. */
  readonly timeoutSeconds: number;
}
