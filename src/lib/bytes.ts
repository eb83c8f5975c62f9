// Byte arrays without any word of BitTorrent: hexadecimal, equality, big-endian integers.
import { present } from "./assert.ts";

export function toHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/** @returns the bytes, or undefined when `text` is not an even number of hexadecimal digits. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  return Uint8Array.fromHex(text);
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Unsigned, big-endian, as all integers of the peer wire are (BEP 3). @throws InvariantError past the end. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return present(bytes[at]) * 0x1000000 + ((present(bytes[at + 1]) << 16) | readUint16(bytes, at + 2));
}

/** Unsigned, big-endian. @throws InvariantError past the end. */
export function readUint16(bytes: Uint8Array, at: number): number {
  return (present(bytes[at]) << 8) | present(bytes[at + 1]);
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
