// The system's error numbers: their names, and what they say to a user about the thing that was being used.

/** Those that lead to a decision or to words; x86-64 and arm64 agree on them. */
const NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  4: "EINTR",
  5: "EIO",
  9: "EBADF",
  11: "EWOULDBLOCK",
  13: "EACCES",
  17: "EEXIST",
  18: "EXDEV",
  19: "ENODEV",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  27: "EFBIG",
  28: "ENOSPC",
  30: "EROFS",
  37: "ENOLCK",
  38: "ENOSYS",
  95: "EOPNOTSUPP",
  122: "EDQUOT",
};

/** @returns "EIO" for 5; "errno 71" for a number that has no name here. */
export function errnoName(number: number): string {
  return NAMES[number] ?? `errno ${number}`;
}

/** `source`: a file to serve; `directory`: where a download goes; `disk`: a write under way; `port`: a
 * port to listen on, TCP or UDP; `config`: a configuration file. */
export type ErrnoSubject = "source" | "directory" | "disk" | "port" | "config";

export const AGAIN = "run the same command again";
/** For a failure of a disk that has no words of its own. */
export const CHECK_DISK = `check the disk and ${AGAIN}`;
const NOT_READABLE = "may not be read by this user; change its permissions or run as its owner";
const NOT_WRITABLE = "may not be written by this user; change its permissions or choose another --dir";

/** What concerns the process or the machine, whatever was being used. */
function everywhere(words: string): Readonly<Record<ErrnoSubject, string>> {
  return { source: words, directory: words, disk: words, port: words, config: words };
}

/** Also of a directory that was looked at without an error of the system. */
export const NO_DIRECTORY = "no such directory; make it first (mkdir -p) or choose another --dir";
export const NOT_A_DIRECTORY = "is not a directory; choose another --dir";

/** The fact, then the remedy. */
const WORDS: Readonly<Record<string, Partial<Readonly<Record<ErrnoSubject, string>>>>> = {
  EACCES: {
    source: NOT_READABLE,
    directory: NOT_WRITABLE,
    port: "not permitted; choose a port above 1023 with --port",
    config: "permission denied",
  },
  EPERM: { source: NOT_READABLE, directory: NOT_WRITABLE },
  ENOENT: {
    source: "no such file; check the path",
    directory: NO_DIRECTORY,
    config: "there is no such file",
  },
  ENOTDIR: {
    source: "no such file: a part of the path is not a directory; check the path",
    directory: NOT_A_DIRECTORY,
    config: "there is no such file",
  },
  ELOOP: {
    source: "its symlinks lead in a circle; name the file itself",
    directory: "its symlinks lead in a circle; choose another --dir",
  },
  ENAMETOOLONG: {
    source: "the path is too long; check the path",
    directory: "the path is too long; choose another --dir",
  },
  EISDIR: { config: "it is a directory" },
  EMFILE: everywhere("too many open files; raise the limit (ulimit -n)"),
  ENFILE: everywhere(
    "this machine has too many open files; close some or raise the limit (sysctl fs.file-max)",
  ),
  EROFS: {
    directory: "is on a read-only file system; choose another --dir",
    disk: `the file system became read-only; ${CHECK_DISK}`,
  },
  ENOSPC: { disk: `the disk is full; free some space and ${AGAIN}` },
  EDQUOT: { disk: `the disk quota is used up; free some space and ${AGAIN}` },
  EFBIG: { disk: "the file is larger than the file system or the limit of this shell (ulimit -f) allows" },
  EIO: { disk: `the disk reported an input/output error; ${CHECK_DISK}` },
  EADDRINUSE: { port: "the port is taken; choose another with --port" },
  EADDRNOTAVAIL: { port: "this machine does not have that address; choose one of its own with --ip" },
};

/**
 * What follows the subject and a colon in a line for the user.
 * @returns undefined for a code that has no words for this subject.
 */
export function errnoWords(subject: ErrnoSubject, code: string | undefined): string | undefined {
  return code === undefined ? undefined : WORDS[code]?.[subject];
}
