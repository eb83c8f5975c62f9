// `download`: every source is fetched, verified and put into place; with `--seeding` each goes on for a while.
import type { PeerAddress } from "../../core/format/peer-address.ts";
import { shortened } from "../../core/format/file-name.ts";
import { ExitCode, P2pfileError, UsageError } from "../../lib/errors.ts";
import { type OutputPlace, outputPlace } from "../../storage/output-place.ts";
import type { SessionContext } from "../context.ts";
import type { DownloadOptions } from "../options.ts";
import { aborted, FailureList } from "../outcome.ts";
import { type OpenResources, openResources } from "../resources.ts";
import {
  sourceInfoHash,
  parseTorrentSource,
  sourcePeers,
  type TorrentSource,
  sourceWarnings,
} from "../torrent-source.ts";
import { Download } from "./download-file.ts";

/** A source with its position on the command line. */
export interface IndexedSource {
  readonly index: number;
  readonly source: TorrentSource;
}

/** What runs the downloads of a session and what they share; the tests bring their own. */
export interface Downloads {
  readonly open: (indexed: IndexedSource) => RunningDownload;
  readonly closeNetwork: () => Promise<void>;
  /** After the network and the downloads. */
  readonly close: () => Promise<void>;
}

export type RunningDownload = Pick<Download, "index" | "label" | "run" | "close">;
export type OpenDownloads = (
  options: DownloadOptions,
  place: OutputPlace,
  context: SessionContext,
) => Downloads;

/**
 * Runs until every source is done (and seeded, if asked) or has failed, or `context.signal` is aborted; what is
 * unfinished then can be resumed.
 * @returns the exit code of the first source that failed, else 0.
 * @throws UsageError for what concerns all sources: the address, the port, one file name for several of them.
 * @throws DestinationError for a destination that no file can have.
 */
export async function download(
  options: DownloadOptions,
  context: SessionContext,
  openDownloads: OpenDownloads = downloadsOn(openResources),
): Promise<ExitCode> {
  const place = await outputPlace(options.directory, options.output);
  if (place.fileName !== undefined && options.magnets.length > 1) {
    throw new UsageError(
      `-o ${options.output ?? ""}: names one file and there are ${options.magnets.length} magnets; name a directory that exists, or put a / behind it`,
    );
  }
  const failures = new FailureList(context);
  const downloads = openDownloads(options, place, context);
  const opened: RunningDownload[] = [];
  try {
    const sources = readSources(options.magnets, failures);
    for (const indexed of sources) {
      opened.push(downloads.open(indexed));
      for (const warning of sourceWarnings(indexed.source)) context.logger.warn(warning);
    }
    const bootstrap = sources.flatMap(({ source }) => sourcePeers(source));
    const runs = opened.map((one) => runOne(one, bootstrap, failures, context.signal));
    await Promise.race([aborted(context.signal), Promise.all(runs)]);
    return failures.exitCode;
  } finally {
    await downloads.closeNetwork();
    await Promise.all(opened.map((one) => one.close()));
    await downloads.close();
  }
}

async function runOne(
  one: RunningDownload,
  bootstrap: readonly PeerAddress[],
  failures: FailureList,
  signal: AbortSignal,
): Promise<void> {
  try {
    await one.run(bootstrap);
  } catch (error) {
    if (signal.aborted) return;
    // Without a port nothing can be fetched at all.
    if (error instanceof P2pfileError && error.exitCode === ExitCode.usage) throw error;
    failures.add(one.index, one.label, error);
  }
}

/** The sources that can be read, each torrent once. The others count as failed. */
function readSources(texts: readonly string[], failures: FailureList): readonly IndexedSource[] {
  const read = new Map<string, IndexedSource>();
  for (const [index, text] of texts.entries()) {
    const source = parseTorrentSource(text);
    if ("error" in source) failures.add(index, shortened(text), new UsageError(source.error));
    else if (!read.has(sourceInfoHash(source))) read.set(sourceInfoHash(source), { index, source });
  }
  return [...read.values()];
}

/** Downloads that share the resources of one session. */
export function downloadsOn(open: OpenResources): OpenDownloads {
  return (options, place, context) => {
    const resources = open(options, context, options.magnets.length);
    return {
      open: ({ index, source }) =>
        new Download({ index, text: source.text, magnet: source.magnet, place, options, resources }),
      closeNetwork: () => resources.closeNetwork(),
      close: () => resources.close(),
    };
  };
}
