// Test files of any size, written fast, equal for equal seeds; and the SHA-256 of any file.
import { createCipheriv, createHash, randomInt } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";

const CHUNK_LENGTH = 4 * 1024 * 1024;

export interface BigFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly seed: number;
}

/**
 * Writes `size` bytes that no file system can compress or share: the AES-CTR key stream of `seed`. The seed is
 * printed, and P2PFILE_TEST_SEED repeats a run.
 */
export function makeBigFile(path: string, size: number, seed = chooseSeed()): BigFile {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const cipher = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK_LENGTH);
  const hash = createHash("sha256");
  const descriptor = openSync(path, "w");
  try {
    for (let written = 0; written < size;) {
      const chunk = cipher.update(zeros.subarray(0, Math.min(CHUNK_LENGTH, size - written)));
      hash.update(chunk);
      written += writeSync(descriptor, chunk, 0, chunk.length);
    }
  } finally {
    closeSync(descriptor);
  }
  console.info(`${path}: ${size} bytes of seed ${seed}`);
  return { path, size, sha256: hash.digest("hex"), seed };
}

/** Hexadecimal. */
export function sha256Of(path: string): string {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(CHUNK_LENGTH);
  const descriptor = openSync(path, "r");
  try {
    for (;;) {
      const length = readSync(descriptor, buffer, 0, buffer.length, null);
      if (length === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
}

function chooseSeed(): number {
  const given = process.env["P2PFILE_TEST_SEED"];
  return given === undefined ? randomInt(2 ** 32) : Number(given);
}
