// Reads the events that p2pfile prints with `--json` (docs/JSON.md).
import { rounded } from "./statistics.ts";

/** Seconds from a moment that the reader names until a download had got so far; undefined for what did not happen. */
export interface Milestones {
  readonly firstPeer: number | undefined;
  readonly metadata: number | undefined;
  readonly firstPiece: number | undefined;
  readonly completed: number | undefined;
}

export const MILESTONES = ["firstPeer", "metadata", "firstPiece", "completed"] as const;

interface JsonEvent {
  readonly event: string;
  /** ISO 8601. */
  readonly time: string;
}

/** A last line that is not complete yet is left out. */
function eventsOf(output: string): JsonEvent[] {
  const lines = output.slice(0, output.lastIndexOf("\n") + 1).split("\n");
  // Written by p2pfile, one object per line.
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as JsonEvent);
}

/** When `event` was first told, in milliseconds since 1970. */
export function timeOfEvent(output: string, event: string): number | undefined {
  const found = eventsOf(output).find((one) => one.event === event);
  return found === undefined ? undefined : Date.parse(found.time);
}

/** `since` is in milliseconds since 1970, so that the start of the program counts too. */
export function milestonesOf(output: string, since: number): Milestones {
  const secondsTo = (event: string) => {
    const time = timeOfEvent(output, event);
    return time === undefined ? undefined : rounded((time - since) / 1000, 3);
  };
  return {
    firstPeer: secondsTo("firstPeer"),
    metadata: secondsTo("metadata"),
    firstPiece: secondsTo("firstPiece"),
    completed: secondsTo("completed"),
  };
}

/** A pattern for Child.waitForOutput: the event's line, and its time in the first group. */
export function eventPattern(event: string): RegExp {
  return new RegExp(`^\\{"v":1,"event":"${event}","time":"([^"]+)"`, "m");
}
