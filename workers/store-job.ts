// One received piece on its way to the file: hashed and written in small steps, so that each is still in the processor's
// cache when it is written, and steps of zeros become a hole. Refuses to know which digest is right: a wrong piece is
// written too, and fetched again over it.
import { writeSync } from "node:fs";
import { SHA1_LENGTH } from "../src/lib/sha1.ts";
import { stretchAt, ZERO_STEP_LENGTH } from "../src/lib/zeros.ts";
import type { StoreRequest } from "../src/hashing/messages.ts";
import { FALLOC_PUNCH_HOLE, libc } from "./libc.ts";

/**
 * Fits the first levels of cache. Longer writes are no faster, and a virtual machine that gives freed memory back to its
 * host pays dearly for the large folios they make (bench/README.md).
 */
const STEP_LENGTH = ZERO_STEP_LENGTH;

/** @returns the 20 bytes of the digest. @throws the system's error when the bytes cannot be written. */
export function storeJob({ fd, offset, bytes }: StoreRequest): Uint8Array<ArrayBuffer> {
  const hasher = new Bun.SHA1();
  /** Where the zeros begin that are not in the file yet. */
  let zeros: number | undefined;
  for (let at = 0; at < bytes.length; at += STEP_LENGTH) {
    const step = bytes.subarray(at, at + STEP_LENGTH);
    hasher.update(step);
    // The first byte decides for nearly every step, without a call.
    if (step[0] === 0 && stretchAt(step, 0, step.length).isHole) {
      zeros ??= at;
      continue;
    }
    if (zeros !== undefined) storeZeros(fd, bytes.subarray(zeros, at), offset + zeros);
    zeros = undefined;
    writeFully(fd, step, offset + at);
  }
  if (zeros !== undefined) storeZeros(fd, bytes.subarray(zeros), offset + zeros);
  const digest = new Uint8Array(SHA1_LENGTH);
  hasher.digest(digest);
  return digest;
}

/** Of a file system that makes no holes the zeros themselves. */
function storeZeros(fd: number, zeros: Uint8Array, position: number): void {
  const isPunched = libc?.fallocate(fd, FALLOC_PUNCH_HOLE, position, zeros.length) === 0;
  if (!isPunched) writeFully(fd, zeros, position);
}

function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length;) {
    const written = writeSync(fd, bytes, at, bytes.length - at, position + at);
    if (written <= 0) throw new Error(`the system wrote ${written} bytes`);
    at += written;
  }
}
