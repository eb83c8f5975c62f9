// Where the lower layers log; they do not know what is shown.

export interface Logger {
  /** Shown only with `--debug`. */
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}
