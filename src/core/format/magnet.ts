// Magnet URIs (BEP 9): the parser is lenient about details that are typed by hand and strict about the info hash; the
// formatter writes exactly one form. Knows no torrent and no network.
import { printable, shortened } from "./file-name.ts";
import { present } from "../../lib/assert.ts";
import { type InfoHash, infoHashOf, parseInfoHash } from "../torrent/ids.ts";
import { MAX_MAGNET_LENGTH, MAX_MAGNET_PEERS } from "./limits.ts";
import { addressKey, parseAddress, type PeerAddress } from "./peer-address.ts";

export interface Magnet {
  readonly infoHash: InfoHash;
  /** `dn`: a display name until the metadata with the real name arrives. Unchecked; show it through `printable`. */
  readonly name?: string;
  /** `x.mode=x`, of p2pfile's own magnets: the file may be executed. */
  readonly isExecutable?: true;
  /** `x.pe`, each address once, at most MAX_MAGNET_PEERS. */
  readonly peers: readonly PeerAddress[];
  /** Entries of `x.pe` that are no IPv4 address with port, or beyond MAX_MAGNET_PEERS. Printable and short. */
  readonly ignored: readonly string[];
}

/** Skips unknown parameters. @returns the magnet, or the problem in words that follow "bad magnet:". */
export function parseMagnet(text: string): Magnet | { readonly error: string } {
  if (text.length > MAX_MAGNET_LENGTH) return { error: `longer than ${MAX_MAGNET_LENGTH} characters` };
  const trimmed = text.trim();
  if (!/^magnet:\?/i.test(trimmed)) return { error: 'it does not start with "magnet:?"' };

  const topics: string[] = [];
  const peerLists: string[] = [];
  let name: string | undefined;
  let isExecutable = false;
  for (const parameter of trimmed.slice("magnet:?".length).split("&")) {
    const equals = parameter.indexOf("=");
    const key = (equals < 0 ? parameter : parameter.slice(0, equals)).toLowerCase().replace(/\.\d+$/, "");
    if (key !== "xt" && key !== "dn" && key !== "x.pe" && key !== "x.mode") continue;
    const raw = equals < 0 ? "" : parameter.slice(equals + 1);
    // Many programs encode a space in the name as "+", as HTML forms do; a real plus sign arrives as %2B.
    const value = percentDecode(key === "dn" ? raw.replaceAll("+", " ") : raw);
    if (value === undefined) return { error: `"${key}" has a bad percent escape` };
    if (key === "xt") topics.push(value);
    else if (key === "x.pe") peerLists.push(value);
    else if (key === "x.mode") isExecutable ||= value === "x";
    else if (value !== "") name ??= value;
  }

  const infoHash = parseTopics(topics);
  if (typeof infoHash !== "string") return infoHash;
  return {
    infoHash,
    ...(name === undefined ? {} : { name }),
    ...(isExecutable ? { isExecutable } : {}),
    ...parsePeers(peerLists),
  };
}

/** `magnet:?xt=urn:btih:<40 hex>&dn=<percent-encoded>&x.pe=<ip:port>`, with one `x.pe` for each peer, and `x.mode=x` when executable. */
export function formatMagnet(magnet: {
  readonly infoHash: InfoHash;
  readonly name?: string;
  readonly isExecutable?: boolean;
  readonly peers: readonly PeerAddress[];
}): string {
  const name = magnet.name === undefined ? "" : `&dn=${percentEncode(magnet.name)}`;
  const peers = magnet.peers.map((peer) => `&x.pe=${addressKey(peer)}`);
  const mode = magnet.isExecutable === true ? "&x.mode=x" : "";
  return `magnet:?xt=urn:btih:${magnet.infoHash}${name}${peers.join("")}${mode}`;
}

/** Requires one version 1 info hash, however often and in whichever form it is there; a hybrid magnet has a version 2 topic besides (BEP 52). */
function parseTopics(topics: readonly string[]): InfoHash | { readonly error: string } {
  const hashes = topics.flatMap((topic) => /^urn:btih:(.*)$/is.exec(topic)?.[1] ?? []);
  if (hashes.length === 0) {
    const isVersion2 = topics.some((topic) => /^urn:btmh:/i.test(topic));
    return {
      error: isVersion2 ? "BitTorrent v2 is not supported" : '"xt=urn:btih:" with the info hash is missing',
    };
  }
  const found = new Set<InfoHash>();
  for (const hash of hashes) {
    const infoHash = parseInfoHash(hash) ?? parseBase32(hash);
    if (infoHash === undefined) {
      const shown = shortened(printable(hash));
      return { error: `"xt" has neither 40 hexadecimal nor 32 base32 digits: "${shown}"` };
    }
    found.add(infoHash);
  }
  const [infoHash] = found;
  if (found.size > 1) return { error: `"xt=urn:btih:" names ${found.size} different torrents` };
  return present(infoHash);
}

function parsePeers(lists: readonly string[]): { peers: PeerAddress[]; ignored: string[] } {
  const peers = new Map<string, PeerAddress>();
  const ignored: string[] = [];
  for (const entry of lists.flatMap((list) => list.split(","))) {
    const text = entry.trim();
    if (text === "") continue;
    const address = parseAddress(text);
    const isKnown = address !== undefined && peers.has(addressKey(address));
    if (address === undefined || (!isKnown && peers.size === MAX_MAGNET_PEERS))
      ignored.push(shortened(printable(text)));
    else peers.set(addressKey(address), address);
  }
  return { peers: [...peers.values()], ignored };
}

/** RFC 4648 base32 of 20 bytes, the form of the info hash in old magnets; 32 digits need no padding. */
function parseBase32(text: string): InfoHash | undefined {
  if (!/^[a-z2-7]{32}$/i.test(text)) return undefined;
  const bytes = new Uint8Array(20);
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (const digit of text.toUpperCase()) {
    bits = ((bits << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(digit)) & 0xfff;
    bitCount += 5;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[at++] = bits >>> bitCount;
  }
  return infoHashOf(bytes);
}

function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Escapes quotes and brackets too: users paste a magnet into shells between single quotes. */
function percentEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
