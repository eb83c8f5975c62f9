// The log: consola behind the Logger of the lower layers. Levels are consola's, the look and the stream are ours:
// consola would write information to standard output, which belongs to the answers.
import { LogLevels, createConsola } from "consola/core";
import type { Logger } from "../../lib/logger.ts";
import { oneLine } from "../report-error.ts";

/** `print` takes one line without line break. */
export function createLog(print: (line: string) => void, { debug }: { readonly debug: boolean }): Logger {
  const log = createConsola({
    level: debug ? LogLevels.debug : LogLevels.info,
    // Equal messages are not held back: a held back one would come late, above lines that happened before it.
    throttle: 0,
    reporters: [
      {
        log: ({ type, date, args }) => {
          const message = oneLine(args.join(" "));
          if (type === "warn") return print(`p2pfile: warning: ${message}`);
          if (type === "debug")
            return print(`p2pfile: debug ${date.toISOString().slice(11, 23)}: ${message}`);
          print(`p2pfile: ${message}`);
        },
      },
    ],
  });
  return {
    debug: (message) => log.debug(message),
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
  };
}
