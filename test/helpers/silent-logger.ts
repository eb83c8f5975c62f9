// A log that no test reads.
import type { Logger } from "../../src/lib/logger.ts";

export const silentLogger: Logger = { debug() {}, info() {}, warn() {} };
