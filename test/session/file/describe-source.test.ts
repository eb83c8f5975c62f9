import { expect, test } from "bun:test";
import { HashFailure } from "../../../src/hashing/hash-failure.ts";
import { hashSource } from "../../../src/session/file/describe-source.ts";

const SOURCE = { path: "/data/disk.img", fd: 3, size: 9 };

/** What hashing a file ends with when the pool fails with this code. */
function failureOf(code: string): Promise<unknown> {
  const pool = {
    hashRange: () => Promise.reject(new HashFailure(SOURCE.path, code, "the worker said why")),
  };
  const { signal } = new AbortController();
  return hashSource(SOURCE, 4, { pool, context: { signal } }, () => {}).catch((error: unknown) => error);
}

test.each([
  ["ESHORT", 7, "/data/disk.img: changed while it was being shared; serve it again when it is finished"],
  ["EIO", 3, "/data/disk.img: cannot be read (EIO); check the file and its disk"],
  ["EWORKER", 5, "cannot hash /data/disk.img: the worker said why; run the same command again"],
])("hashing that fails with %s ends with %d and one line", async (code, exitCode, message) => {
  expect(await failureOf(code)).toMatchObject({ exitCode, message });
});
