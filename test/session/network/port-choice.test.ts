import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { ExitCode } from "../../../src/lib/errors.ts";
import { noPortError, portsToTry } from "../../../src/session/network/port-choice.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

const range = { first: 42_070, last: 42_099 };

describe("portsToTry", () => {
  test("is the fixed port alone, never another in its place", () => {
    expect(portsToTry({ fixed: 5000, range }, Math.random)).toEqual([5000]);
  });

  test("is every port of the range, each once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_000 }), fc.nat(100), fc.nat(), (first, extra, seed) => {
        const ports = portsToTry(
          { fixed: undefined, range: { first, last: first + extra } },
          seededRandom(seed),
        );
        expect(ports.toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: extra + 1 }, (_, i) => first + i),
        );
      }),
    );
  });

  test("begins anywhere in the range, so that processes started together seldom meet", () => {
    const random = seededRandom(5);
    const firsts = new Map<number, number>();
    for (let i = 0; i < 3000; i++) {
      const [first] = portsToTry({ fixed: undefined, range }, random);
      firsts.set(first!, (firsts.get(first!) ?? 0) + 1);
    }
    expect(firsts.size).toBe(30);
    for (const times of firsts.values()) expect(times).toBeWithin(60, 150);
  });

  test("the extremes of chance stay within the range", () => {
    for (const random of [() => 0, () => 1 - Number.EPSILON]) {
      expect(new Set(portsToTry({ fixed: undefined, range }, random)).size).toBe(30);
    }
  });
});

describe("noPortError", () => {
  test("names the port and both ways out", () => {
    const cause = new Error("EADDRINUSE");
    const error = noPortError({ fixed: 5000, range }, cause);
    expect(error.message).toStartWith("port 5000 is in use: ");
    expect(error.message).toContain("--port");
    expect([error.exitCode, error.cause]).toEqual([ExitCode.usage, cause]);
  });

  test("names the whole range when every port of it was tried", () => {
    const { message } = noPortError({ fixed: undefined, range }, undefined);
    expect(message).toStartWith("every port from 42070 to 42099 is in use: ");
    expect(message).toContain("--port-range");
  });
});
