// The words of a command in citty's form, for its parser and its usage text.
import type { ArgsDef } from "citty";
import type { CommandWords } from "./command.ts";

export function cittyDefinitions({ argument, flags }: Pick<CommandWords, "argument" | "flags">): ArgsDef {
  const definitions: ArgsDef = {};
  if (argument !== undefined) {
    definitions[argument.isRepeated === true ? `${argument.name}...` : argument.name] = {
      type: "positional",
      description: argument.description,
      required: argument.isOptional !== true,
    };
  }
  for (const [name, flag] of Object.entries(flags)) definitions[name] = { ...flag };
  return definitions;
}
