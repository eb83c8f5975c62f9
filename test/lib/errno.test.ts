import { expect, test } from "bun:test";
import { constants } from "node:os";
import { errnoName, errnoWords } from "../../src/lib/errno.ts";

test("errnoName gives each number the name that this system gives it", () => {
  const names = new Map<number, string[]>();
  for (const [name, number] of Object.entries(constants.errno)) {
    names.set(number, [...(names.get(number) ?? []), name]);
  }
  const known = Array.from({ length: 200 }, (_, number) => number).filter(
    (number) => errnoName(number) !== `errno ${number}`,
  );
  expect(known.length).toBeGreaterThan(15);
  for (const number of known) expect(names.get(number)).toContain(errnoName(number));
});

test("errnoWords gives one code different words for each subject", () => {
  expect(errnoWords("source", "EACCES")).toStartWith("may not be read by this user");
  expect(errnoWords("directory", "EACCES")).toStartWith("may not be written by this user");
  expect(errnoWords("port", "EACCES")).toStartWith("not permitted; choose a port");
});

test("errnoWords names the limit on open files for every subject", () => {
  for (const subject of ["source", "directory", "disk", "port", "config"] as const) {
    expect(errnoWords(subject, "EMFILE")).toContain("ulimit -n");
    expect(errnoWords(subject, "ENFILE")).toContain("fs.file-max");
  }
});

test("errnoWords gives none for an unknown code, for one without words for the subject, and for no code", () => {
  expect([
    errnoWords("disk", "EWHAT"),
    errnoWords("port", "ENOSPC"),
    errnoWords("source", undefined),
    errnoWords("disk", "constructor"),
  ]).toEqual([undefined, undefined, undefined, undefined]);
});
