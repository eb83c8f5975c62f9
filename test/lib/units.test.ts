import { describe, expect, test } from "bun:test";
import { formatBytes, formatSeconds, GiB, KiB, MiB } from "../../src/lib/units.ts";

describe("formatBytes", () => {
  const table: [number, string][] = [
    [0, "0 B"],
    [512, "512 B"],
    [999, "999 B"],
    [1000, "0.98 KiB"],
    [KiB, "1.00 KiB"],
    [1536, "1.50 KiB"],
    [15 * KiB, "15.0 KiB"],
    [150.5 * MiB, "151 MiB"],
    [4 * GiB, "4.00 GiB"],
    [1024 * GiB, "1.00 TiB"],
    [5000 * 1024 * GiB, "5000 TiB"],
  ];
  test.each(table)("%d is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("formatSeconds", () => {
  const table: [number, string][] = [
    [0, "0s"],
    [-5, "0s"],
    [59.4, "59s"],
    [59.6, "1m00s"],
    [185, "3m05s"],
    [3599.7, "1h00m"],
    [7620, "2h07m"],
    [360_000, "100h00m"],
    [Number.POSITIVE_INFINITY, "-"],
    [Number.NaN, "-"],
  ];
  test.each(table)("%d is %s", (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});
