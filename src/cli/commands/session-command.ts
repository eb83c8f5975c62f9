// A verb that runs a session: reads its settings, has its options decoded, and hands them to the session function of its
// name. The session shows itself by its events.
import type { Command, CommandInput, CommandWords } from "../command.ts";
import type { Session, Sessions } from "../environment.ts";
import type { LayeredValues } from "../settings/layered-values.ts";
import { decodeOutput } from "../settings/session-flags.ts";

export interface SessionInput extends Pick<CommandInput, "words" | "given"> {
  readonly values: LayeredValues;
}

export interface SessionCommand<Options> extends CommandWords {
  readonly session: (sessions: Sessions) => Session<Options>;
  /** @throws UsageError for the first wrong value, naming where it stands. */
  readonly decode: (input: SessionInput) => Options;
  /** What was accepted but probably not meant, one sentence each. */
  readonly warn?: (options: Options, input: SessionInput) => readonly string[];
}

export function sessionCommand<Options>(parts: SessionCommand<Options>): Command {
  const { session, decode, warn, ...words } = parts;
  return {
    ...words,
    movesData: true,
    async run(input) {
      const { environment } = input;
      const { readSettings } = await import("../settings/read-settings.ts");
      const { values, warnings } = await readSettings(input);
      const sessionInput = { values, words: input.words, given: input.given };
      const options = decode(sessionInput);
      const display = {
        output: decodeOutput(values, environment),
        warnings: [...warnings, ...(warn?.(options, sessionInput) ?? [])],
      };
      const { runSession } = await import("../run-session.ts");
      return runSession(environment, display, (context) => session(environment.sessions)(options, context));
    },
  };
}
