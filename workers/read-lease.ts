// A read lease (fcntl(2), "Leases"): while it is held, a process that opens the file for writing or truncates it waits until
// the lease is released, so that a mapping cannot lose its pages (SIGBUS would kill the process, and cannot be handled from
// JavaScript). The kernel grants it to the owner of the file and to root, and only while no process has the file open for
// writing.
import { F_GETLEASE, F_RDLCK, F_SETLEASE, F_SETSIG, F_UNLCK, SIGURG, libc } from "./libc.ts";

export class ReadLease {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @returns undefined when the kernel does not grant it: not the owner, open for writing, no leases on this file system. */
  static take(fd: number): ReadLease | undefined {
    if (libc === undefined) return undefined;
    // A waiting writer is announced by SIGIO, whose default is to end the process: ask for one that is ignored.
    if (libc.fcntl(fd, F_SETSIG, SIGURG) !== 0) return undefined;
    if (libc.fcntl(fd, F_SETLEASE, F_RDLCK) !== 0) return undefined;
    return new ReadLease(fd);
  }

  /** False as soon as a writer waits: unmap and release, or it waits for /proc/sys/fs/lease-break-time (45 s). */
  get held(): boolean {
    return libc?.fcntl(this.#fd, F_GETLEASE, 0) === F_RDLCK;
  }

  release(): void {
    libc?.fcntl(this.#fd, F_SETLEASE, F_UNLCK);
  }
}
