// `serve --magnet`: what an old magnet means for this run.
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

/** The port that the magnet's holders dial: that of our own address in it, or else of its first one. */
export function portOfMagnet(magnet: Magnet, ownHost: string): number | undefined {
  return (ownAddress(magnet, ownHost) ?? magnet.peers[0])?.port;
}

/** The other addresses of the magnet: further seeds. */
export function othersOfMagnet(magnet: Magnet, ownHost: string): readonly PeerAddress[] {
  const own = ownAddress(magnet, ownHost);
  return magnet.peers.filter((address) => address !== own);
}

function ownAddress(magnet: Magnet, ownHost: string): PeerAddress | undefined {
  return magnet.peers.find((address) => address.host === ownHost);
}
