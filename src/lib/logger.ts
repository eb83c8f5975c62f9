// What the lower layers may say to whoever runs them; they do not know how it is shown.

export interface Logger {
  /** Shown only with `--debug`. */
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {} };
