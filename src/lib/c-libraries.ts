// Under which names the C library can be loaded.

/** glibc's name first, then musl's. */
export const C_LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"] as const;
