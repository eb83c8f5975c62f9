// The moments worth a line of their own that stays: what happened, as a sentence. Progress is not among them.
import { printable } from "../../core/format/file-name.ts";
import type { SeedingEnd } from "../../core/transfer/seeding-goal.ts";
import { assertNever } from "../../lib/assert.ts";
import { formatBytes, formatSeconds } from "../../lib/units.ts";
import type { SessionEvent } from "../../session/report/session-event.ts";
import { oneLine } from "../report-error.ts";

/** @returns undefined for events that show in the progress, in the debug log, or nowhere. */
export function eventNotice(event: SessionEvent): string | undefined {
  switch (event.type) {
    case "listening":
      return `listening on ${event.host}:${event.port}${event.allInterfaces ? " and every other interface (--ip binds one)" : ""}`;
    case "serving":
      return `${printable(event.name)}: serving ${formatBytes(event.size)}${event.cached ? ", hashed earlier" : ""}`;
    case "metadata":
      return `${printable(event.name)}: ${formatBytes(event.size)}, metadata after ${milliseconds(event.elapsedMs)}`;
    case "completed":
      return completedNotice(event);
    case "seedingEnded": {
      const sum = `${formatBytes(event.uploaded)} sent, ratio ${event.ratio.toFixed(2)}`;
      const why = seedingEnds[event.reason];
      return `${printable(event.name)}: seeding ended after ${formatSeconds(event.seconds)}: ${why} (${sum})`;
    }
    case "hostsDone":
      return event.hosts === 1
        ? "1 host is done: serving ends"
        : `${event.hosts} hosts are done: serving ends`;
    case "failed":
      return `p2pfile: ${failedMessage(event)}`;
    case "hashing":
    case "firstPeer":
    case "firstPiece":
    case "progress":
    case "warning":
      return undefined;
    default:
      return assertNever(event);
  }
}

const seedingEnds: Readonly<Record<SeedingEnd, string>> = {
  ratio: "the ratio was reached",
  time: "the time was up",
  swarm: "every host has the file",
};

/** What the debug log says beyond the notices. */
export function eventDetail(event: SessionEvent): string | undefined {
  if (event.type === "firstPeer") {
    return `${event.infoHash}: first peer (${event.source}) after ${milliseconds(event.elapsedMs)}`;
  }
  if (event.type === "firstPiece") {
    return `${event.infoHash}: first piece after ${milliseconds(event.elapsedMs)}`;
  }
  return undefined;
}

function completedNotice(event: SessionEvent & { type: "completed" }): string {
  const name = printable(event.name);
  if (event.existed) return `${name}: already complete`;
  const seconds = event.elapsedMs / 1000;
  const rate = seconds > 0 ? `, ${formatBytes(event.size / seconds)}/s` : "";
  return `${name}: complete, ${formatBytes(event.size)} in ${milliseconds(event.elapsedMs)}${rate}`;
}

/** Names the subject once: the message often does so itself. */
function failedMessage(event: SessionEvent & { type: "failed" }): string {
  const message = oneLine(event.message);
  const subject = oneLine(event.subject);
  return message.includes(subject) ? message : `${subject}: ${message}`;
}

function milliseconds(elapsed: number): string {
  return elapsed < 10_000
    ? `${(elapsed / 1000).toFixed(elapsed < 1000 ? 2 : 1)}s`
    : formatSeconds(elapsed / 1000);
}
