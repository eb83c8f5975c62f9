import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  addressKey,
  ipv4ToNumber,
  parseAddress,
  parseIpv4,
  parsePort,
  readCompact,
  writeCompact,
} from "../../../src/core/format/peer-address.ts";

const anyAddress = fc.record({
  host: fc
    .nat(2 ** 32 - 1)
    .map((value) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".")),
  port: fc.integer({ min: 1, max: 65535 }),
});

describe("parseAddress", () => {
  test("reads back the output of addressKey", () => {
    fc.assert(
      fc.property(anyAddress, (address) => expect(parseAddress(addressKey(address))).toEqual(address)),
    );
  });

  test.each([
    "",
    ":",
    "10.0.0.1",
    "10.0.0.1:",
    ":80",
    "10.0.0.1:0",
    "10.0.0.1:65536",
    "10.0.0.1:+1",
    "10.0.0.1:01",
    "10.0.0.1:1e3",
    "10.0.0.1:80 ",
    " 10.0.0.1:80",
    "10.0.0:80",
    "10.0.0.0.1:80",
    "10.0.0.256:80",
    "10.0.0.-1:80",
    "010.0.0.1:80",
    "0x0a.0.0.1:80",
    "10.0.0.:80",
    "[::1]:80",
    "::1:80",
    "localhost:80",
    "10.0.0.1:80:80",
    "１0.0.0.1:80",
  ])("refuses %p", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

test("parseIpv4 and parsePort take the ends of their ranges", () => {
  expect([parseIpv4("0.0.0.0"), parseIpv4("255.255.255.255")]).toEqual(["0.0.0.0", "255.255.255.255"]);
  expect([parsePort("1"), parsePort("65535"), parsePort("65536")]).toEqual([1, 65535, undefined]);
});

test("ipv4ToNumber counts the octets big-endian, above 2^31 as well", () => {
  expect([ipv4ToNumber("10.0.1.2"), ipv4ToNumber("255.0.0.1")]).toEqual([0x0a000102, 0xff000001]);
});

describe("compact form", () => {
  test("is address and port, big-endian", () => {
    const bytes = new Uint8Array(8);
    writeCompact({ host: "10.1.2.3", port: 0x1234 }, bytes, 1);
    expect([...bytes]).toEqual([0, 10, 1, 2, 3, 0x12, 0x34, 0]);
  });

  test("reads back a written address at any offset", () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(10), (address, at) => {
        const bytes = new Uint8Array(at + 6);
        writeCompact(address, bytes, at);
        expect(readCompact(bytes, at)).toEqual(address);
      }),
    );
  });

  test("is undefined for port 0 or beyond the end", () => {
    expect(readCompact(Uint8Array.of(10, 0, 0, 1, 0, 0), 0)).toBeUndefined();
    expect(readCompact(Uint8Array.of(10, 0, 0, 1, 5), 0)).toBeUndefined();
    expect(readCompact(Uint8Array.of(10, 0, 0, 1, 0, 5), 1)).toBeUndefined();
  });
});
