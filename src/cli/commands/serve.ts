// `p2pfile serve`: its words, and the session it runs.
import { serveFlags } from "../shared-flags.ts";
import { command } from "./command.ts";

export const serveCommand = command({
  name: "serve",
  description: "Create, seed and print one magnet URI per file",
  args: {
    "file...": { type: "positional", description: "what to share: regular files, no directories" },
    ...serveFlags,
  },
  examples: [
    "p2pfile serve model.bin",
    "p2pfile serve model.bin --upload-limit 50 --peers 10.1.1.2:42083",
    "p2pfile serve model.bin --until-done 20",
  ],
  async run(input) {
    const { decodeServe } = await import("../decode-options.ts");
    const { options, ...output } = await decodeServe(input);
    const { runSession } = await import("../run-session.ts");
    const { environment } = input;
    return runSession(environment, output, (context) => environment.sessions.serve(options, context));
  },
});
