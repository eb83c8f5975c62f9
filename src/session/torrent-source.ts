// What a download starts from: the one place where a text of the command line becomes a torrent to fetch. A new kind of
// source (an info hash, a .torrent file, a URL) is a member of the union and its reading here.
import { printable, shortened } from "../core/format/file-name.ts";
import { type Magnet, parseMagnet } from "../core/format/magnet.ts";
import type { PeerAddress } from "../core/format/peer-address.ts";
import { MAX_SOURCE_WARNINGS } from "./limits.ts";
import type { InfoHash } from "../core/torrent/ids.ts";

/** A magnet URI: info hash, perhaps a name, perhaps addresses of peers. The metadata comes from a peer. */
export interface MagnetSource {
  readonly type: "magnet";
  /** As given on the command line. */
  readonly text: string;
  readonly magnet: Magnet;
}

export type TorrentSource = MagnetSource;

/** @returns the source, or what is wrong with `text` as a sentence that quotes its beginning. */
export function parseTorrentSource(text: string): TorrentSource | { readonly error: string } {
  const magnet = parseMagnet(text);
  if ("error" in magnet) return { error: `bad magnet ${shortened(printable(text))}: ${magnet.error}` };
  return { type: "magnet", text, magnet };
}

/** The name of the torrent everywhere: two sources with the same one are the same torrent. */
export function sourceInfoHash(source: TorrentSource): InfoHash {
  return source.magnet.infoHash;
}

/** The peers that the source itself names: where to start from. */
export function sourcePeers(source: TorrentSource): readonly PeerAddress[] {
  return source.magnet.peers;
}

/** What the source contains and cannot be used, one sentence each; at most MAX_SOURCE_WARNINGS and one with the rest. */
export function sourceWarnings(source: TorrentSource): readonly string[] {
  const { ignored } = source.magnet;
  const rest = ignored.length - MAX_SOURCE_WARNINGS;
  return [
    ...ignored
      .slice(0, MAX_SOURCE_WARNINGS)
      .map((entry) => `x.pe=${entry} is no IPv4 address with a port; ignored`),
    ...(rest > 0 ? [`${rest} more entries of x.pe are ignored`] : []),
  ];
}
