// `p2pfile download`: its words, and the session it runs.
import { downloadFlags } from "../shared-flags.ts";
import { command } from "./command.ts";

export const downloadCommand = command({
  name: "download",
  description: "Fetch and verify files, then exit or keep seeding",
  args: {
    "magnet...": { type: "positional", description: "what 'p2pfile serve' printed, in quotes" },
    ...downloadFlags,
  },
  examples: [
    "p2pfile download 'magnet:?xt=urn:btih:…' -o /models",
    "p2pfile download 'magnet:?xt=urn:btih:…' --seeding --seeding-time 600",
  ],
  async run(input) {
    const { decodeDownload } = await import("../decode-options.ts");
    const { options, ...output } = await decodeDownload(input);
    const { runSession } = await import("../run-session.ts");
    const { environment } = input;
    return runSession(environment, output, (context) => environment.sessions.download(options, context));
  },
});
