import { expect, test } from "bun:test";
import { present } from "../../src/lib/assert.ts";
import { InvariantError } from "../../src/lib/errors.ts";

test("present gives the value, zero and empty ones included", () => {
  expect([present(7), present(0), present(""), present(null)]).toEqual([7, 0, "", null]);
});

test("present of nothing is a bug of ours", () => {
  const bytes = Uint8Array.of(1, 2);
  expect(() => present(bytes[2])).toThrow(InvariantError);
});
