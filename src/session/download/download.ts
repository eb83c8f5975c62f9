// `download`: every magnet is fetched, verified and put into place; with `--seeding` each goes on for a while.
import { ExitCode, P2pfileError, UsageError } from "../../lib/errors.ts";
import { printable } from "../../core/format/file-name.ts";
import { type Magnet, parseMagnet } from "../../core/format/magnet.ts";
import type { SessionContext } from "../context.ts";
import { Download } from "./download-file.ts";
import type { DownloadOptions } from "../options.ts";
import { aborted, FailureList } from "../outcome.ts";
import { Resources } from "../resources.ts";

/**
 * Runs until every magnet is done (and seeded, if asked) or has failed, or `context.signal` is aborted; what is
 * unfinished then can be resumed.
 * @returns the exit code of the first magnet that failed, else 0.
 * @throws UsageError for what concerns all magnets: the address, the port.
 */
export async function download(options: DownloadOptions, context: SessionContext): Promise<ExitCode> {
  const resources = new Resources(options, context, options.magnets.length);
  const failures = new FailureList(context);
  const downloads: Download[] = [];
  try {
    for (const read of readMagnets(options.magnets, failures)) {
      downloads.push(new Download({ ...read, options, resources }));
      for (const entry of read.magnet.ignored)
        context.logger.warn(`x.pe=${entry} is no IPv4 address with a port; ignored`);
    }
    if (downloads.length === 0) return failures.exitCode;
    const bootstrap = downloads.flatMap(({ magnet }) => magnet.peers);
    const runs = downloads.map((one) =>
      one.run(bootstrap).catch((error: unknown) => {
        if (context.signal.aborted) return;
        // Without a port nothing can be fetched at all.
        if (!(error instanceof P2pfileError) || error.exitCode === ExitCode.usage) throw error;
        failures.add(one.index, one.label, error);
      }),
    );
    await Promise.race([aborted(context.signal), Promise.all(runs)]);
    return failures.exitCode;
  } finally {
    await resources.closeNetwork();
    await Promise.all(downloads.map((one) => one.close()));
    await resources.close();
  }
}

interface ReadMagnet {
  /** Position on the command line. */
  readonly index: number;
  readonly text: string;
  readonly magnet: Magnet;
}

/** The magnets that can be read, each info hash once. The others count as failed. */
function readMagnets(texts: readonly string[], failures: FailureList): ReadMagnet[] {
  const read = new Map<string, ReadMagnet>();
  for (const [index, text] of texts.entries()) {
    const magnet = parseMagnet(text);
    if ("error" in magnet)
      failures.add(index, text, new UsageError(`bad magnet ${printable(text)}: ${magnet.error}`));
    else if (!read.has(magnet.infoHash)) read.set(magnet.infoHash, { index, text, magnet });
  }
  return [...read.values()];
}
