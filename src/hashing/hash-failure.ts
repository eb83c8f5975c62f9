// Why hashing ended without digests. Whether it is the fault of a source, a destination or a disk, the caller knows.
import { AGAIN, CHECK_DISK } from "../lib/errno.ts";
import { ExitCode, P2pfileError } from "../lib/errors.ts";

export class HashFailure extends P2pfileError {
  override readonly name = "HashFailure";
  readonly exitCode = ExitCode.disk;
  readonly path: string;
  /**
   * A system error code ("ENOENT", "EACCES", "EISDIR", "EIO"…), "EINVAL" for anything but a regular file, "ESHORT" when
   * the file is shorter than asked, "EWORKER" when the workers died, "ECANCELED" when the pool was closed.
   */
  readonly code: string;

  constructor(path: string, code: string, reason: string) {
    super(`cannot hash ${path}: ${reason}; ${code === "EWORKER" ? AGAIN : CHECK_DISK}`);
    this.path = path;
    this.code = code;
  }
}
