// Session: every bound with its reason. docs/LIMITS.md is made from these files.

/** How often it is checked whether all connections have closed: an exit waits half of this on average. */
export const FAREWELL_STEP_MS = 5;
/** How often it is checked whether seeding, `--until-done` or `--timeout` ends. */
export const SEEDING_CHECK_MS = 100;
/** Spans of either kind that every file keeps however many there are: fewer would serialise its disk. */
export const MIN_SPANS_PER_FILE = 4;
/** Unusable addresses of a magnet that are named one by one: a magnet of 64 KiB holds thousands. */
export const MAX_SOURCE_WARNINGS = 5;
