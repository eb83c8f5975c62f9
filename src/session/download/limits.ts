// Download: every bound with its reason. docs/LIMITS.md is made from these files.
import { MiB } from "../../lib/units.ts";

/** How often the resume journal is asked whether it is time to record. */
export const RESUME_TICK_MS = 500;
/** A part file is checked in stretches of this length: a settled piece is offered or fetched after a fraction of a second. */
export const CHECK_LENGTH = 64 * MiB;
/** A stopped download waits this long for its data to be on the disk: a signal is obeyed within a second. */
export const STOP_SYNC_MS = 500;
