// Flags of open(2) that node:fs does not name.

/** No other program started by this process inherits the descriptor; x86-64 and arm64 agree on it. */
export const O_CLOEXEC = 0o2000000;
