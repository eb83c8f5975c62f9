// `p2pfile download`: its words, its options, and the session it runs.
import { UsageError } from "../../lib/errors.ts";
import type { DownloadOptions } from "../../session/options.ts";
import type { Session } from "../environment.ts";
import { decodeNode, sessionFlags } from "../settings/session-flags.ts";
import { ratio, seconds } from "../values/numbers.ts";
import type { LayeredValues } from "../settings/layered-values.ts";
import { directory, onOff, path } from "../values/value-kind.ts";
import { sessionCommand } from "./session-command.ts";

declare module "../environment.ts" {
  interface Sessions {
    readonly download: Session<DownloadOptions>;
  }
}

export const downloadCommand = sessionCommand<DownloadOptions>({
  name: "download",
  summary: "Fetch and verify files, then exit or keep seeding",
  argument: {
    name: "magnet",
    isRepeated: true,
    description: "what 'p2pfile serve' printed, in quotes",
  },
  flags: {
    dir: { type: "string", valueHint: "DIR", description: "the directory the file goes to", default: "." },
    output: {
      type: "string",
      alias: "o",
      valueHint: "PATH",
      description: "a directory (exists or ends in /) or the file's name (Default: --dir)",
    },
    seeding: {
      type: "boolean",
      description: "keep seeding after completion, until no host needs data (Default: off)",
    },
    "seeding-time": {
      type: "string",
      valueHint: "S",
      description: "with --seeding: stop after S seconds at the latest",
      default: "60",
    },
    "seeding-ratio": {
      type: "string",
      valueHint: "R",
      description: "with --seeding: stop at this uploaded / size; 150% is 1.5",
      default: "1.0",
    },
    timeout: {
      type: "string",
      valueHint: "S",
      description: "give up after S seconds without a byte, 0 waits",
      default: "0",
    },
    ...sessionFlags,
  },
  examples: [
    "p2pfile download 'magnet:?xt=urn:btih:…' --dir /models",
    "p2pfile download 'magnet:?xt=urn:btih:…' -o new.img",
    "p2pfile download 'magnet:?xt=urn:btih:…' --seeding --seeding-time 600",
  ],
  session: (sessions) => sessions.download,
  decode: ({ values, words }) => ({
    ...decodeNode(values),
    magnets: words,
    directory: values.required("dir", directory),
    output: chosenOutput(values),
    seeding: values.optional("seeding", onOff) ?? false,
    seedingSeconds: values.required("seeding-time", seconds),
    seedingRatio: values.required("seeding-ratio", ratio),
    timeoutSeconds: values.required("timeout", seconds),
  }),
  warn: ({ seeding }, { given }) =>
    ["seeding-time", "seeding-ratio"]
      .filter((flag) => !seeding && given.has(flag))
      .map((flag) => `--${flag} has no effect without --seeding`),
});

/** `-o`, unless `--dir` comes from a stronger place. */
function chosenOutput(values: LayeredValues): string | undefined {
  const output = values.optional("output", path);
  const [ofOutput, ofDirectory] = [values.strengthOf("output"), values.strengthOf("dir")];
  if (output === undefined || ofDirectory > ofOutput) return undefined;
  if (ofDirectory === ofOutput) throw new UsageError("--dir and -o: give one of them");
  return output;
}
