// The last step of a download as the system sees it, on file systems that refuse one call or another.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();
const FIXTURE = join(import.meta.dir, "fixtures/traced-placement.ts");
const PART = ".model.bin.abababab.p2pfile-part";

interface Refusals {
  /** What link(2) answers. */
  readonly linkCode?: string;
  /** What fsync(2) of a directory answers. */
  readonly syncCode?: string;
  /** Another file comes to stand under the final name. */
  readonly isOccupied?: boolean;
}

/** A process in which a download is opened, filled and finished. */
function placed(refusals: Refusals) {
  const directory = fixture.folder();
  const env = { ...process.env, P2PFILE_TEST_CASE: JSON.stringify({ directory, ...refusals }) };
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "test", FIXTURE], { env });
  const line = stdout
    .toString()
    .split("\n")
    .find((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(stderr.toString());
  const traced: unknown = JSON.parse(line);
  return { directory, finalPath: join(directory, "model.bin"), partPath: join(directory, PART), traced };
}

describe("a finished download", () => {
  test("P3: is brought to the disk name by name: the part name goes when the final one is there to stay", () => {
    const { traced, finalPath } = placed({});
    expect(traced).toEqual({
      calls: [
        "sync the directory",
        "opened",
        "sync the data",
        "link",
        "sync the directory",
        "unlink",
        "sync the directory",
      ],
      outcome: finalPath,
      names: ["model.bin"],
      content: "content",
      openCount: 0,
    });
  });

  test.each(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EMLINK", "EXDEV", "EINVAL"])(
    "P3: is renamed where a second name is refused with %s, and the new name is brought to the disk",
    (linkCode) => {
      const { traced, finalPath } = placed({ linkCode });
      expect(traced).toEqual({
        calls: ["sync the directory", "opened", "sync the data", "link", "sync the directory"],
        outcome: finalPath,
        names: ["model.bin"],
        content: "content",
        openCount: 0,
      });
    },
  );

  test.each([{}, { linkCode: "EPERM" }])("C12: is not renamed over another file either (%j)", (refusals) => {
    const { traced, finalPath, partPath } = placed({ ...refusals, isOccupied: true });
    expect(traced).toMatchObject({
      outcome:
        `DestinationError: ${finalPath}: already exists and is another file; move it away and run the same command ` +
        `again, the complete download waits in ${partPath}`,
      names: [PART, "model.bin"],
      content: "precious",
      openCount: 0,
    });
  });

  test("is not renamed when its second name fails for want of space: the disk is named", () => {
    const { traced, partPath, finalPath } = placed({ linkCode: "ENOSPC" });
    expect(traced).toMatchObject({
      outcome: expect.stringContaining(`DiskError: cannot put ${partPath} under its name ${finalPath}: `),
      names: [PART],
    });
  });

  test.each(["EINVAL", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"])(
    "is done where a directory cannot be synced (%s)",
    (syncCode) => {
      const { traced, finalPath } = placed({ syncCode });
      expect(traced).toMatchObject({ outcome: finalPath, names: ["model.bin"], openCount: 0 });
    },
  );

  test("P7: fails where the directory does not reach the disk, and leaves no descriptor open", () => {
    const { traced, directory } = placed({ syncCode: "EIO" });
    expect(traced).toMatchObject({
      outcome: expect.stringContaining(`DiskError: cannot sync ${directory}: `),
      openCount: 0,
    });
  });
});
