// The one failure of a hash job that has no name among the system's errors.

export class ShortFileError extends Error {
  override readonly name = "ShortFileError";
  readonly code = "ESHORT";

  constructor(length: number, wanted: number) {
    super(`the file ends at ${length}, before ${wanted}`);
  }
}
