// Download: every bound with its reason. docs/LIMITS.md is made from these files.

/** A download that was complete before it had a peer waits this long for one to report its completion to. */
export const TELL_DONE_MS = 1_000;
/** How often the resume journal is asked whether it is time to record. */
export const RESUME_TICK_MS = 500;
