// File of a torrent: every bound with its reason. docs/LIMITS.md is made from these files.

/** A file that is served or seeded is looked at this often for a change of its size, times or inode. */
export const SOURCE_CHECK_MS = 1_000;
