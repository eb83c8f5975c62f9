// Hash worker: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB } from "../src/lib/units.ts";

/** A worker's one buffer for reading. It fits the second level cache, so SHA-1 finds the copy there: 128 KiB to 512 KiB measured alike,
 * 1 MiB slower. */
export const READ_BUFFER_LENGTH = 256 * KiB;
