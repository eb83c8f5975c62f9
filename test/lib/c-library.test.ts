import { expect, test } from "bun:test";
import { dlopen } from "bun:ffi";
import { cLibrary } from "../../src/lib/c-library.ts";

test("cLibrary opens the library at the first call and once, glibc before musl", () => {
  const asked: string[] = [];
  const library = cLibrary((name) => {
    asked.push(name);
    if (!name.includes("musl")) throw new Error("no such library");
    return name;
  });
  expect(asked).toEqual([]);
  expect([library(), library()]).toEqual(["libc.musl-x86_64.so.1", "libc.musl-x86_64.so.1"]);
  expect(asked).toEqual(["libc.so.6", "libc.musl-x86_64.so.1"]);
});

test("cLibrary tries every name once where no library can be loaded", () => {
  let tries = 0;
  const library = cLibrary((): string => {
    tries++;
    throw new Error("not permitted");
  });
  expect([library(), library(), tries]).toEqual([undefined, undefined, 3]);
});

test("cLibrary finds the library of this machine", () => {
  const library = cLibrary((name) => dlopen(name, { getpid: { args: [], returns: "i32" } }).symbols);
  expect(library()?.getpid()).toBe(process.pid);
});
