// What is known of one file of a session, as a display needs it: session events in, the latest picture out. Decides
// nothing about how it looks.
import { assertNever } from "../../lib/assert.ts";
import type { SessionEvent, TransferSnapshot } from "../../session/report/session-event.ts";

/** `hashing` makes a torrent, `checking` looks at what an earlier run left; the last three are ends. */
export type FilePhase = "hashing" | TransferSnapshot["phase"] | "complete" | "failed" | "ended";

export interface FileProgress {
  readonly index: number;
  readonly name: string;
  readonly phase: FilePhase;
  readonly size: number;
  /** Hashed or verified bytes. */
  readonly completed: number;
  /** Bytes per second. */
  readonly downloadRate: number;
  readonly uploadRate: number;
  readonly uploaded: number;
  readonly peers: number;
  readonly seeds: number;
  /** Of the whole swarm: those that want the file or have got it, and those of them that are done. */
  readonly hosts: number;
  readonly hostsDone: number;
  readonly etaSeconds: number;
}

/** The files that `event` says something about, changed accordingly. */
export function updateFiles(
  files: ReadonlyMap<number, FileProgress>,
  event: SessionEvent,
): readonly FileProgress[] {
  const known = (index: number): FileProgress => files.get(index) ?? { ...nothingYet, index };
  switch (event.type) {
    case "hashing": {
      const { index, name, size, done } = event;
      return [{ ...known(index), name, phase: "hashing", size, completed: done }];
    }
    case "serving": {
      const { index, name, size } = event;
      return [{ ...known(index), name, phase: "seeding", size, completed: size }];
    }
    case "metadata":
      return [{ ...known(event.index), name: event.name, size: event.size }];
    case "progress":
      return event.transfers.map((transfer) => ({
        ...transfer,
        phase: phaseAfter(known(transfer.index), transfer),
      }));
    case "completed": {
      const { index, name, size } = event;
      return [{ ...known(index), name, phase: "complete", size, completed: size }];
    }
    case "seedingEnded":
      return [{ ...known(event.index), name: event.name, phase: "ended" }];
    case "failed":
      return [{ ...known(event.index), name: event.subject, phase: "failed" }];
    case "listening":
    case "firstPeer":
    case "firstPiece":
    case "hostsDone":
    case "warning":
      return [];
    default:
      return assertNever(event);
  }
}

/** Whether nothing more will happen to the file. */
export function isOver(file: FileProgress): boolean {
  return file.phase === "complete" || file.phase === "failed" || file.phase === "ended";
}

/** Ends stay ends, whatever a late snapshot says, but a complete file may go on seeding. */
function phaseAfter(known: FileProgress, transfer: TransferSnapshot): FilePhase {
  if (known.phase === "complete") return transfer.phase === "seeding" ? "seeding" : "complete";
  return isOver(known) ? known.phase : transfer.phase;
}

const nothingYet: FileProgress = {
  index: 0,
  name: "",
  phase: "metadata",
  size: 0,
  completed: 0,
  downloadRate: 0,
  uploadRate: 0,
  uploaded: 0,
  peers: 0,
  seeds: 0,
  hosts: 0,
  hostsDone: 0,
  etaSeconds: Infinity,
};
