// The IPv4 address and port of a peer or node, its text form, and its compact form of six bytes (BEP 5, 11, 23).
import { readUint16, writeUint16 } from "../../lib/bytes.ts";

export interface PeerAddress {
  /** Dotted quad in its canonical form. */
  readonly host: string;
  /** 1..65535, TCP and UDP alike. */
  readonly port: number;
}

/** Bytes of the compact form. */
export const COMPACT_LENGTH = 6;

/** "10.1.1.1:42083": the key of an address in every map. */
export function addressKey(address: PeerAddress): string {
  return `${address.host}:${address.port}`;
}

/** @returns undefined unless `host` is four decimal octets without leading zeros. */
export function parseIpv4(host: string): string | undefined {
  const octets = host.split(".");
  if (octets.length !== 4) return undefined;
  return octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255) ? host : undefined;
}

/** @returns undefined unless `text` is a decimal number from 1 to 65535 without sign or leading zero. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

/** Parses "a.b.c.d:port". @returns undefined for names, IPv6, port 0 and anything else. */
export function parseAddress(text: string): PeerAddress | undefined {
  const colon = text.lastIndexOf(":");
  if (colon < 0) return undefined;
  const host = parseIpv4(text.slice(0, colon));
  const port = parsePort(text.slice(colon + 1));
  return host === undefined || port === undefined ? undefined : { host, port };
}

export function ipv4ToNumber(host: string): number {
  return host.split(".").reduce((value, octet) => value * 256 + Number(octet), 0);
}

/** Writes six bytes at `at`: address, then port, big-endian (the compact form of BEP 23). */
export function writeCompact(address: PeerAddress, bytes: Uint8Array, at: number): void {
  const octets = address.host.split(".");
  for (let i = 0; i < 4; i++) bytes[at + i] = Number(octets[i]);
  writeUint16(bytes, at + 4, address.port);
}

/** @returns undefined for port 0, and where the bytes end before the sixth. */
export function readCompact(bytes: Uint8Array, at: number): PeerAddress | undefined {
  const port = at + 6 > bytes.length ? 0 : readUint16(bytes, at + 4);
  if (port === 0) return undefined;
  return { host: `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`, port };
}
