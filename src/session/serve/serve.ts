// `serve`: every file is hashed (or remembered), announced and seeded until the session is stopped or, if asked, until
// enough hosts have it.
import { ExitCode, P2pfileError } from "../../lib/errors.ts";
import { findOwnAddress } from "../../discovery/own-address.ts";
import type { SessionContext } from "../context.ts";
import type { ServeOptions } from "../options.ts";
import { aborted, FailureList } from "../outcome.ts";
import { readServeMagnet } from "./serve-magnet.ts";
import { ServedFile } from "./served-file.ts";
import { type HostGoal, untilDone } from "./until-done.ts";
import { type OpenResources, openResources, type Resources } from "../resources.ts";

/**
 * Runs until `context.signal` is aborted, no file is left that can be served, or `untilDone` hosts have every file.
 * @returns the exit code of the first file that failed, else 0.
 * @throws UsageError for what concerns all files: the magnet, the address, the port.
 */
export async function serve(
  options: ServeOptions,
  context: SessionContext,
  open: OpenResources = openResources,
): Promise<ExitCode> {
  const magnet = readServeMagnet(options.magnet, options.files.length);
  const { hostsPerAddress } = options;
  // An address that cannot be had is told before hours of hashing.
  findOwnAddress(options.ip, options.peers);
  const resources = open(options, context, options.files.length);
  const failures = new FailureList(context);
  const served: ServedFile[] = [];
  try {
    for (const [index, given] of options.files.entries()) {
      if (context.signal.aborted) break;
      try {
        served.push(await ServedFile.start({ index, given, magnet, hostsPerAddress, resources }));
      } catch (error) {
        if (context.signal.aborted) break;
        // Without a port nothing can be served at all.
        if (!(error instanceof P2pfileError) || error.exitCode === ExitCode.usage) throw error;
        failures.add(index, given, error);
      }
    }
    const ends = served.map((file) =>
      file.ended.catch((error: unknown) => failures.add(file.index, file.path, error)),
    );
    await Promise.race([
      aborted(context.signal),
      Promise.all(ends),
      ...(options.untilDone === undefined
        ? []
        : [enough({ hosts: options.untilDone, perAddress: options.hostsPerAddress }, served, resources)]),
    ]);
    return failures.exitCode;
  } finally {
    await resources.closeNetwork();
    await Promise.all(served.map((file) => file.close()));
    await resources.close();
  }
}

/** Emits the event before the session ends. */
async function enough(goal: HostGoal, served: readonly ServedFile[], resources: Resources): Promise<void> {
  const { context, clock } = resources;
  const hosts = await untilDone(goal, served, context.signal, clock);
  if (hosts !== undefined) context.emit({ type: "hostsDone", hosts, wanted: goal.hosts });
}
