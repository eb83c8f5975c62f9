// Every fault job, in the order of the plan (T1 to T14).
import type { FaultJob } from "./lib/job.ts";
import { crashPointJob } from "./crash-points.ts";
import { datagramJob } from "./datagrams.ts";
import { diskFaultJob } from "./disk-faults.ts";
import { diskFullJob } from "./disk-full.ts";
import { floodJob } from "./floods.ts";
import { fullTorrentJob } from "./full-torrent.ts";
import { hostilePeersJob } from "./hostile-peers.ts";
import { killJob } from "./kill.ts";
import { lostWritesJob } from "./lost-writes.ts";
import { manyPeersJob } from "./many-peers.ts";
import { metadataLiesJob } from "./metadata-lies.ts";
import { clockJob, cutConnectionsJob, frozenSeedJob, seedRestartJob } from "./network.ts";
import { lossyLinkJob, partitionJob } from "./network-loss.ts";
import { poisonJob } from "./poison.ts";
import { sourceChangeJob } from "./source-changes.ts";
import { commandLineJob, decoderJob, streamJob } from "./suites.ts";
import { twoProcessesJob } from "./two-processes.ts";
import { wireSessionJob } from "./wire-sessions.ts";

export const allJobs: readonly FaultJob[] = [
  decoderJob,
  streamJob,
  wireSessionJob,
  hostilePeersJob,
  killJob,
  crashPointJob,
  lostWritesJob,
  diskFaultJob,
  diskFullJob,
  poisonJob,
  floodJob,
  fullTorrentJob,
  manyPeersJob,
  metadataLiesJob,
  datagramJob,
  seedRestartJob,
  frozenSeedJob,
  cutConnectionsJob,
  lossyLinkJob,
  partitionJob,
  clockJob,
  commandLineJob,
  twoProcessesJob,
  sourceChangeJob,
];
