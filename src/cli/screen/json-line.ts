// One object of `--json` as a line: docs/JSON.md is the schema.

/** Goes up when a field changes its meaning or goes away, not when one is added. */
export const JSON_VERSION = 1;

export type JsonFields = Readonly<Record<string, unknown>>;

/** The version of the schema, then the fields. A number that is not finite becomes null: JSON knows no Infinity. */
export function jsonLine(fields: JsonFields): string {
  return `${JSON.stringify({ v: JSON_VERSION, ...fields })}\n`;
}
