// `p2pfile version`: which build this is. `--version` prints the version alone.
import { COMMIT, VERSION } from "../../lib/version.ts";
import { inspectCommand } from "./inspect-command.ts";

export const versionCommand = inspectCommand({
  name: "version",
  summary: "Print version, commit and Bun's version",
  flags: {},
  examples: ["p2pfile version", "p2pfile version --json | jq -r .commit"],
  inspect: () =>
    Promise.resolve({ name: "p2pfile", version: VERSION, commit: COMMIT ?? null, bun: Bun.version }),
  text: ({ name, version, commit, bun }) =>
    `${name} ${version} (${commit === null ? "unreleased" : `commit ${commit}`}, Bun ${bun})`,
  fields: ({ name, version, commit, bun }) => ({ name, version, commit, bun }),
});
