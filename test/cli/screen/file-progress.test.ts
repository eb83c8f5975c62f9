// The picture of a file that the events of a session make.
import { describe, expect, test } from "bun:test";
import type { FileProgress } from "../../../src/cli/screen/file-progress.ts";
import { isOver, updateFiles } from "../../../src/cli/screen/file-progress.ts";
import type { SessionEvent } from "../../../src/session/report/session-event.ts";
import { completed, oneOfEach, progress, serving, snapshot } from "../session-script.ts";

const GiB = 2 ** 30;

/** The pictures after `events`, by index. */
function after(...events: readonly SessionEvent[]): ReadonlyMap<number, FileProgress> {
  const files = new Map<number, FileProgress>();
  for (const event of events) for (const file of updateFiles(files, event)) files.set(file.index, file);
  return files;
}

const one = (type: SessionEvent["type"]) => oneOfEach.find((event) => event.type === type)!;
const phaseAfter = (...events: readonly SessionEvent[]) => after(...events).get(0)?.phase;

describe("A file", () => {
  test("of which only the name and the size are known has moved nothing", () => {
    expect([...after(one("metadata")).values()]).toEqual([
      {
        index: 0,
        name: "model.bin",
        phase: "metadata",
        size: 4 * GiB,
        completed: 0,
        downloadRate: 0,
        uploadRate: 0,
        uploaded: 0,
        peers: 0,
        seeds: 0,
        hosts: 0,
        hostsDone: 0,
        etaSeconds: Infinity,
      },
    ]);
  });

  test("that fails before anything else is known has its subject for a name, and no bytes", () => {
    expect(after(one("failed")).get(1)).toMatchObject({
      name: "b.bin",
      phase: "failed",
      size: 0,
      completed: 0,
    });
  });

  test("keeps what an event says nothing about", () => {
    const known = after(progress({ uploaded: 7, hosts: 3 }), completed(0, "a")).get(0);
    expect(known).toMatchObject({ name: "a", phase: "complete", completed: 4 * GiB, uploaded: 7, hosts: 3 });
    const hashed = after(progress({ uploaded: 7 }), one("hashing")).get(0);
    expect(hashed).toMatchObject({ phase: "hashing", completed: GiB, size: 4 * GiB, uploaded: 7 });
    expect(after(one("hashing"), serving()).get(0)).toMatchObject({ phase: "seeding", completed: 4 * GiB });
  });

  test("is what the latest snapshot says while it goes on", () => {
    expect(after(progress({}), progress({ phase: "checking", peers: 1 })).get(0)).toMatchObject({
      ...snapshot({ phase: "checking", peers: 1 }),
    });
  });

  test("that is complete goes on seeding, and nothing else", () => {
    expect(phaseAfter(completed(), progress({}))).toBe("complete");
    expect(phaseAfter(completed(), progress({ phase: "seeding" }))).toBe("seeding");
  });

  test("that has ended or failed stays so, whatever a late snapshot says", () => {
    expect(phaseAfter(one("seedingEnded"), progress({ phase: "seeding" }))).toBe("ended");
    const failed: SessionEvent = { type: "failed", index: 0, subject: "a", message: "a", exitCode: 6 };
    expect(phaseAfter(failed, progress({}))).toBe("failed");
  });

  test("is over when it is complete, has failed or has ended", () => {
    const over = (["complete", "failed", "ended", "seeding", "checking"] as const).filter((phase) =>
      isOver({ ...snapshot(), phase }),
    );
    expect(over).toEqual(["complete", "failed", "ended"]);
  });

  test("is not changed by events of the whole session", () => {
    for (const type of ["listening", "firstPeer", "firstPiece", "hostsDone", "warning"] as const)
      expect(after(one(type)).size).toBe(0);
  });
});
