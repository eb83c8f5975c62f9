// The door to the C library: its names, and when it is loaded. How it is opened is an argument.

/** glibc's name first, then musl's. */
const NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"] as const;

/**
 * `open` loads the library of that name with the functions that the caller needs, and throws where there is none (`dlopen`).
 * @returns a function that gives the library, opened at the first call (5 ms); undefined on a system that lets no program
 * load a library at run time.
 */
export function cLibrary<Library>(open: (name: string) => Library): () => Library | undefined {
  let library: Library | undefined;
  let isTried = false;
  return () => {
    if (!isTried) library = firstThatOpens(open);
    isTried = true;
    return library;
  };
}

function firstThatOpens<Library>(open: (name: string) => Library): Library | undefined {
  for (const name of NAMES) {
    try {
      return open(name);
    } catch {
      // Not the C library of this system: the next name is tried.
    }
  }
  return undefined;
}
