// `--json`: one event per line on standard output. docs/JSON.md is the schema; a field is added by naming it here, so
// that a change inside the session cannot change what programs read.
import { JSON_PROGRESS_MS, MAX_OUTPUT_BACKLOG } from "../limits.ts";
import { assertNever } from "../../lib/assert.ts";
import type { Moments } from "../../session/report/milestones.ts";
import type { SessionEvent, TransferSnapshot } from "../../session/report/session-event.ts";
import type { Answer, AnswerStream } from "./answer.ts";
import { type JsonFields, jsonLine } from "./json-line.ts";

/** Before these the latest progress is written, however recent the one before it is. */
const ENDS: ReadonlySet<SessionEvent["type"]> = new Set(["completed", "seedingEnded", "hostsDone", "failed"]);

export interface JsonTarget {
  readonly stdout: AnswerStream;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function jsonOutput({ stdout, now }: JsonTarget): Answer {
  /** When each kind of progress was last written. */
  const lastWritten = new Map<string, number>();
  const write = (event: string, fields: JsonFields) => {
    const time = new Date(now()).toISOString();
    stdout.write(jsonLine({ event, time, ...fields }));
  };
  /** Progress that came too early: written after all when it turns out to be the last before something ends. */
  let held: SessionEvent | undefined;
  const isDue = (event: SessionEvent): boolean => {
    if (event.type !== "progress" && event.type !== "hashing") return true;
    if (stdout.backlog > MAX_OUTPUT_BACKLOG) return false;
    const key = event.type === "hashing" ? `hashing ${event.index}` : "progress";
    if (now() - (lastWritten.get(key) ?? -Infinity) < JSON_PROGRESS_MS) {
      if (event.type === "progress") held = event;
      return false;
    }
    lastWritten.set(key, now());
    if (event.type === "progress") held = undefined;
    return true;
  };
  return {
    handle(event) {
      if (held !== undefined && ENDS.has(event.type)) {
        write(held.type, fieldsOf(held));
        held = undefined;
      }
      if (isDue(event)) write(event.type, fieldsOf(event));
    },
    fail({ message, exitCode }) {
      write("error", { message, exitCode });
    },
  };
}

function fieldsOf(event: SessionEvent): JsonFields {
  switch (event.type) {
    case "listening":
      return { host: event.host, port: event.port, allInterfaces: event.allInterfaces };
    case "hashing":
      return { index: event.index, name: event.name, done: event.done, size: event.size };
    case "serving": {
      const { index, name, path, size, infoHash, magnet, cached } = event;
      return { index, name, path, size, infoHash, magnet, cached };
    }
    case "metadata": {
      const { index, name, size, infoHash, elapsedMs } = event;
      return { index, name, size, infoHash, elapsedMs };
    }
    case "firstPeer":
      return {
        index: event.index,
        infoHash: event.infoHash,
        source: event.source,
        elapsedMs: event.elapsedMs,
      };
    case "firstPiece":
      return { index: event.index, infoHash: event.infoHash, elapsedMs: event.elapsedMs };
    case "progress":
      return { transfers: event.transfers.map(transferFields) };
    case "completed": {
      const { index, name, path, size, infoHash, elapsedMs, existed } = event;
      return { index, name, path, size, infoHash, elapsedMs, existed, ...momentFields(event.moments) };
    }
    case "seedingEnded": {
      const { index, name, reason, uploaded, ratio, seconds } = event;
      return { index, name, reason, uploaded, ratio, seconds, ...momentFields(event.moments) };
    }
    case "hostsDone":
      return { hosts: event.hosts, wanted: event.wanted };
    case "failed": {
      const { index, subject, message, exitCode } = event;
      return { index, subject, message, exitCode };
    }
    case "warning":
      return { message: event.message };
    default:
      return assertNever(event);
  }
}

/** Together in one line, so that a fleet's statistics need no other. */
function momentFields(moments: Moments): JsonFields {
  return {
    t_first_peer: moments.firstPeer ?? null,
    t_metadata: moments.metadata ?? null,
    t_first_piece: moments.firstPiece ?? null,
    t_done: moments.done ?? null,
  };
}

function transferFields(transfer: TransferSnapshot): JsonFields {
  return {
    index: transfer.index,
    name: transfer.name,
    infoHash: transfer.infoHash,
    phase: transfer.phase,
    size: transfer.size,
    completed: transfer.completed,
    downloadRate: transfer.downloadRate,
    uploadRate: transfer.uploadRate,
    downloaded: transfer.downloaded,
    uploaded: transfer.uploaded,
    peers: transfer.peers,
    seeds: transfer.seeds,
    peers_by_source: transfer.peersBySource,
    hosts: transfer.hosts,
    hosts_done: transfer.hostsDone,
    etaSeconds: transfer.etaSeconds,
  };
}
