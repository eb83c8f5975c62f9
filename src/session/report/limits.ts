// Progress: every bound with its reason. docs/LIMITS.md is made from these files.

/** Progress is reported this often; a screen that changes faster cannot be read. */
export const PROGRESS_MS = 200;
