// A verb that looks at something and answers once: it gives a value, which is printed as lines for people, or with
// `--json` as one object for programs (docs/JSON.md).
import { ExitCode } from "../../lib/errors.ts";
import type { Command, CommandInput, CommandWords, Flags } from "../command.ts";
import type { JsonFields } from "../screen/json-line.ts";

export interface InspectCommand<Value> extends CommandWords {
  /** @throws P2pfileError when there is no answer. */
  readonly inspect: (input: CommandInput) => Promise<Value>;
  /** Lines without the last line break. */
  readonly text: (value: Value) => string;
  /** Named one by one, so that a change of the value does not change what programs read. */
  readonly fields: (value: Value) => JsonFields;
}

const jsonFlag = {
  json: { type: "boolean", description: "one JSON object on stdout (Default: off)" },
} as const satisfies Flags;

export function inspectCommand<Value>(parts: InspectCommand<Value>): Command {
  const { inspect, text, fields, ...words } = parts;
  return {
    ...words,
    flags: { ...words.flags, ...jsonFlag },
    async run(input) {
      const value = await inspect(input);
      const { stdout } = input.environment;
      if (input.flags["json"] === true) {
        const { jsonLine } = await import("../screen/json-line.ts");
        stdout.write(jsonLine(fields(value)));
      } else stdout.write(`${text(value)}\n`);
      return ExitCode.done;
    },
  };
}
