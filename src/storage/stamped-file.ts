// An open file of which a stamp says when its content was known to be right. The path may come to name another file later;
// the descriptor keeps the one that was opened. Reads no content.
import { sameStamp, stampOf, statsOf } from "./file-stamp.ts";
import type { FileStamp } from "./state-store.ts";

export class StampedFile {
  readonly fd: number;
  /** Absolute, symlinks resolved. */
  readonly path: string;
  #stamp: FileStamp;

  /** `stamp`: of `fd` at a time when its content was known. */
  constructor(fd: number, path: string, stamp: FileStamp) {
    this.fd = fd;
    this.path = path;
    this.#stamp = stamp;
  }

  /** What the file was when its content was known last. */
  get stamp(): FileStamp {
    return this.#stamp;
  }

  /** What the open file is at present. Rejects with the system error. */
  presentStamp(): Promise<FileStamp> {
    return stampOf(this.fd);
  }

  /**
   * True when the open file differs from its stamp. Also a rename, a new link or a new mode changes the stamp, so a change
   * means that the content is to be hashed again; when it is right, the stamp taken before the hashing is adopted.
   */
  async changed(): Promise<boolean> {
    return !sameStamp(this.#stamp, await this.presentStamp());
  }

  adoptStamp(stamp: FileStamp): void {
    this.#stamp = stamp;
  }

  /** False when the path has come to name another file, or none: the open one is read on all the same. */
  async isInPlace(): Promise<boolean> {
    try {
      const named = await statsOf(this.path);
      return named.dev === this.#stamp.dev && named.ino === this.#stamp.inode;
    } catch {
      return false;
    }
  }
}
