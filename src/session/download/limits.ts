// Download: every bound with its reason. docs/LIMITS.md is made from these files.

/** How often the resume journal is asked whether it is time to record. */
export const RESUME_TICK_MS = 500;
