// `p2pfile serve`: its words, its options, and the session it runs.
import { UsageError } from "../../lib/errors.ts";
import type { ServeOptions } from "../../session/options.ts";
import type { Session } from "../environment.ts";
import { decodeNode, sessionFlags } from "../settings/session-flags.ts";
import { hostCount, hostsPerAddress } from "../values/numbers.ts";
import { magnet } from "../values/value-kind.ts";
import { sessionCommand } from "./session-command.ts";

declare module "../environment.ts" {
  interface Sessions {
    readonly serve: Session<ServeOptions>;
  }
}

export const serveCommand = sessionCommand<ServeOptions>({
  name: "serve",
  summary: "Create, seed and print one magnet URI per file",
  argument: {
    name: "file",
    isRepeated: true,
    description: "what to share: regular files, no directories",
    completes: "file",
  },
  flags: {
    ...sessionFlags,
    magnet: { type: "string", valueHint: "URI", description: "seed again under this magnet and its port" },
    "until-done": {
      type: "string",
      valueHint: "N",
      description: "end when N hosts have downloaded every FILE (Default: never)",
    },
    "hosts-per-address": {
      type: "string",
      valueHint: "K",
      description: "count up to K destinations of one IP",
      default: "1",
    },
  },
  examples: [
    "p2pfile serve model.bin",
    "p2pfile serve model.bin --upload-limit 50 --peers 10.1.1.2:42083",
    "p2pfile serve model.bin --until-done 20",
  ],
  session: (sessions) => sessions.serve,
  decode({ values, words }) {
    const uri = values.optional("magnet", magnet);
    if (uri !== undefined && words.length > 1) throw new UsageError("--magnet: goes with exactly one FILE");
    return {
      ...decodeNode(values),
      files: words,
      magnet: uri,
      untilDone: values.optional("until-done", hostCount),
      hostsPerAddress: values.required("hosts-per-address", hostsPerAddress),
    };
  },
});
