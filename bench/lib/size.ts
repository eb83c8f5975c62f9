// Sizes on the command line: `64M`, `1GiB`, `0.5g`; and how they are told.
import { GiB, MiB } from "../../src/lib/units.ts";

/** @returns bytes. @throws on anything but a number with M or G. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s?([MG])(?:i?B)?$/i.exec(text);
  const bytes = Math.round(Number(match?.[1]) * (match?.[2]?.toUpperCase() === "G" ? GiB : MiB));
  if (!(bytes > 0)) throw new Error(`${text}: is not a size; give for example 128M or 1G`);
  return bytes;
}

export function sizeName(bytes: number): string {
  return bytes % GiB === 0 ? `${bytes / GiB} GiB` : `${Math.round((bytes / MiB) * 10) / 10} MiB`;
}
