// The state store with a damaged file: every record that it returns was written, and no damage makes it throw.
import { openStateStore } from "../../../src/storage/open-store.ts";
import type { StateStore } from "../../../src/storage/state-store.ts";
import type { Logger } from "../../../src/lib/logger.ts";
import { randomOf } from "../engine/cuts.ts";
import { defineTarget, promise } from "../engine/target.ts";
import { packetSeries } from "./packet-series.ts";
import { downloads, hashedFiles, hashes, infos, ports, removeFolder, StoreFixture } from "./store-fixture.ts";

type Open = (folder: string, logger: Logger) => StateStore;

const open: Open = (folder, logger) => openStateStore(folder, { logger, wallMs: () => 1 });
const MAX_EDITS = 32;
/** This share of the damaged files is written to and opened once more. */
const WRITING_SHARE = 0.2;
let fixture: StoreFixture | undefined;

function check(open: Open, input: Uint8Array): string {
  fixture ??= new StoreFixture();
  const folder = fixture.damaged(packetSeries.split(input).slice(0, MAX_EDITS));
  try {
    const warnings: string[] = [];
    const logger: Logger = {
      debug() {},
      info() {},
      warn: (message) => warnings.push(message.replaceAll(folder, "")),
    };
    // Every write is synced to the disk, which takes most of the time.
    const writes = randomOf(input)() < WRITING_SHARE;
    const known = useStore(open(folder, logger), writes);
    const kept = writes ? useStore(open(folder, logger), false) : "";
    return `${known} ${kept} ${[...new Set(warnings)].join().replaceAll(/\d+/g, "")}`;
  } finally {
    removeFolder(folder);
  }
}

function useStore(store: StateStore, writes: boolean): string {
  try {
    const known = readAll(store);
    if (writes) writeAll(store);
    return known;
  } finally {
    store.close();
  }
}

/** @returns the records that the store returns, each checked against the written one. */
function readAll(store: StateStore): string {
  const answers: [what: string, found: unknown, written: unknown][] = [
    ...hashes.map((hash, index): [string, unknown, unknown] => ["port", store.portOf(hash), ports[index]]),
    ...hashes.map((hash, index): [string, unknown, unknown] => [
      "metadata",
      store.metadata(hash),
      infos[index],
    ]),
    ...hashedFiles.map((file): [string, unknown, unknown] => [
      "hashes",
      store.hashedFile(file.stamp, file.pieceLength),
      file,
    ]),
    ...downloads.map((record): [string, unknown, unknown] => [
      "download",
      store.download(record.infoHash, record.partPath),
      record,
    ]),
  ];
  return answers
    .map(([what, found, written]) => {
      promise(
        found === undefined || Bun.deepEquals(found, written),
        `${what}: ${Bun.inspect(found)} was never written`,
      );
      return found === undefined ? "-" : what[0];
    })
    .join("");
}

function writeAll(store: StateStore): void {
  for (const [index, hash] of hashes.entries()) {
    store.rememberPort(hash, ports[index] ?? 0);
    store.rememberMetadata(hash, infos[index] ?? new Uint8Array(0));
  }
  for (const file of hashedFiles) store.rememberHashedFile(file);
  for (const record of downloads) store.saveDownload(record);
}

/** A store with one modified member. */
function planted(change: (store: StateStore) => Partial<StateStore>): Open {
  return (folder, logger) => {
    const store = open(folder, logger);
    const whole: StateStore = {
      portOf: (hash) => store.portOf(hash),
      rememberPort: (hash, port) => store.rememberPort(hash, port),
      hashedFile: (stamp, pieceLength) => store.hashedFile(stamp, pieceLength),
      rememberHashedFile: (file) => store.rememberHashedFile(file),
      metadata: (hash) => store.metadata(hash),
      rememberMetadata: (hash, info) => store.rememberMetadata(hash, info),
      download: (hash, path) => store.download(hash, path),
      saveDownload: (record) => store.saveDownload(record),
      forgetDownload: (hash, path) => store.forgetDownload(hash, path),
      destinationId: (directory) => store.destinationId(directory),
      rememberDestination: (directory, id) => store.rememberDestination(directory, id),
      close: () => store.close(),
    };
    return { ...whole, ...change(store) };
  };
}

export const storeTarget = defineTarget({
  name: "store",
  runs: 200,
  maxLength: 64 * 1024,
  tokens: [
    "\x08\0\0",
    "\x01\0\0\x01",
    "\x02\x80\0",
    "\x04\0\0SQLite format 3\0",
    "\x10\0\0",
    "\x08\0\x60\0\0\0\0",
    "\0\0\0\0",
  ],
  numbers: [4096, 512, 100],
  series: packetSeries,
  subject: open,
  check,
  accepts: () => true,
  planted: {
    "a part of a record is good enough": planted((store) => ({
      download: (hash, path) => {
        const record = store.download(hash, path);
        return record === undefined && path === downloads[0]?.partPath
          ? { ...downloads[0], bitfield: new Uint8Array(2) }
          : record;
      },
    })),
    "metadata that is gone is an error": planted((store) => ({
      metadata: (hash) => {
        const info = store.metadata(hash);
        if (info === undefined) throw new RangeError("no such row");
        return info;
      },
    })),
  },
});
