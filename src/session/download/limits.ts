// Download: every bound with its reason. docs/LIMITS.md is made from these files.

/** A download that was complete before it met anybody waits this long for somebody to tell. */
export const TELL_DONE_MS = 1_000;
/** How often the resume journal is asked whether it is time to record. */
export const RESUME_TICK_MS = 500;
