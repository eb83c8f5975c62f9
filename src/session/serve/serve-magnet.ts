// `serve --magnet`: what the old magnet asks of this run.
import type { Magnet } from "../../core/format/magnet.ts";
import { parseMagnet } from "../../core/format/magnet.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import { UsageError } from "../../lib/errors.ts";

/** @throws UsageError for a broken magnet, or one that does not go with the number of files. */
export function readServeMagnet(text: string | undefined, fileCount: number): Magnet | undefined {
  if (text === undefined) return undefined;
  if (fileCount !== 1) throw new UsageError(`--magnet goes with one FILE, not with ${fileCount}`);
  const magnet = parseMagnet(text);
  if ("error" in magnet) throw new UsageError(`--magnet: ${magnet.error}`);
  return magnet;
}

/** The port under which others still look for us: of our own address in the magnet, or else of its first one. */
export function portOfMagnet(magnet: Magnet, ownHost: string): number | undefined {
  return (ownAddress(magnet, ownHost) ?? magnet.peers[0])?.port;
}

/** The other addresses of the magnet: seeds like us. */
export function othersOfMagnet(magnet: Magnet, ownHost: string): readonly PeerAddress[] {
  const own = ownAddress(magnet, ownHost);
  return magnet.peers.filter((address) => address !== own);
}

function ownAddress(magnet: Magnet, ownHost: string): PeerAddress | undefined {
  return magnet.peers.find((address) => address.host === ownHost);
}
