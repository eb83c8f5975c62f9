// The resume journal with a record of any content: it trusts a piece only when every condition holds, and reports the others
// for a check. Bytes 0 to 3 are the conditions and the writes, the rest is the recorded bitfield.
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { infoHashOf } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { MemoryStore } from "../../../src/storage/memory-store.ts";
import {
  ResumeJournal,
  type Resumed,
  type ResumeJournalOptions,
} from "../../../src/storage/resume-journal.ts";
import type { DownloadRecord } from "../../../src/storage/state-store.ts";
import { defineTarget, promise } from "../engine/target.ts";

/** Of the part file, as it is found. */
const TIMES = { mtimeNs: 8n, ctimeNs: 9n };

interface Journal {
  restore(): Resumed;
  verified: ResumeJournal["verified"];
  refuted: ResumeJournal["refuted"];
  close(late: Promise<void>): Promise<void>;
}

type Subject = (options: ResumeJournalOptions) => Journal;

/** 21 pieces: the last byte of a bitfield has three spare bits. */
const GEOMETRY = new Geometry(20 * BLOCK_LENGTH + 1, BLOCK_LENGTH);
const INFO_HASH = infoHashOf(new Uint8Array(20).fill(5));
const PART = "/data/.model.p2pfile-part";
const INODE = 77n;
const BOOT = "this boot";

async function check(open: Subject, input: Uint8Array): Promise<string> {
  const [existed = 0, size = 0, inode = 0, boot = 0] = input;
  const isStopped = (existed & 16) === 0;
  const isTouched = (existed & 32) !== 0;
  const bitfield = input.slice(4);
  const record: DownloadRecord = {
    infoHash: INFO_HASH,
    partPath: PART,
    partInode: inode === 0 ? INODE : BigInt(inode),
    size: size === 0 ? GEOMETRY.length : size,
    bitfield,
    bootId: boot === 0 ? BOOT : boot === 1 ? "" : `boot ${boot}`,
    stopped: isStopped ? { ...TIMES, ...(isTouched && { mtimeNs: 7n }) } : undefined,
  };
  const store = new MemoryStore();
  if ((existed & 4) === 0) store.saveDownload(record);
  const fits =
    (existed & 1) === 0 &&
    (existed & 4) === 0 &&
    record.partInode === INODE &&
    record.size === GEOMETRY.length;
  const stored = Bitfield.parse(bitfield, GEOMETRY.pieceCount);
  const isWritten = (existed & 8) !== 0;
  const options: ResumeJournalOptions = {
    store,
    part: {
      path: PART,
      inode: INODE,
      size: GEOMETRY.length,
      existed: (existed & 1) === 0,
      times: TIMES,
      presentTimes: () => Promise.resolve(TIMES),
      written: () => (isWritten ? [{ start: 0, end: GEOMETRY.length }] : []),
      sync: () => Promise.resolve(),
    },
    infoHash: INFO_HASH,
    geometry: GEOMETRY,
    bootId: BOOT,
    onError: (error) => promise(false, error.message),
  };
  const journal = open(options);
  const { trusted, recheck } = journal.restore();
  const isTrusted = fits && stored !== undefined && record.bootId === BOOT && isStopped && !isTouched;
  const expected = isTrusted && stored !== undefined ? stored : new Bitfield(GEOMETRY.pieceCount);
  promise(trusted.equals(expected), `${trusted.count} pieces are trusted, ${expected.count} may be`);
  for (const piece of recheck)
    promise(GEOMETRY.piece(piece) === piece && !trusted.get(piece), `recheck of ${piece}`);
  promise(new Set(recheck).size === recheck.length, "each piece is checked once");
  // Pieces that the file may contain are checked rather than fetched again.
  const recorded = fits ? stored?.count : undefined;
  const doubted =
    (existed & 1) !== 0 ? 0 : recorded === undefined || isWritten ? GEOMETRY.pieceCount : recorded;
  const toCheck = isTrusted ? doubted - stored.count : doubted;
  promise(recheck.length === toCheck, `${recheck.length} pieces are checked`);

  // Half of the pieces are checked; the others must stay unchecked over an orderly end.
  const settled = recheck.filter((_, index) => index % 4 < 2);
  for (const [index, piece] of settled.entries()) {
    if (index % 2 === 0) journal.verified(piece, 0);
    else journal.refuted(piece);
  }
  await journal.close(new Promise(() => {}));
  const next = open({ ...options, part: { ...options.part, existed: true } }).restore();
  const good = new Set(settled.filter((_, index) => index % 2 === 0));
  next.trusted.forEachSet((index) => {
    promise(
      [...good].some((piece) => piece === index) || trusted.get(index),
      `piece ${index} was never verified`,
    );
  });
  const unsettled = recheck.filter((piece) => !settled.includes(piece));
  for (const piece of unsettled)
    promise(next.recheck.includes(piece), `the doubt about ${piece} is forgotten`);
  return `${isTrusted ? "trusted" : "not"} ${Math.min(3, recheck.length)} ${stored === undefined ? "bad" : "good"}`;
}

function planted(change: (resumed: Resumed, options: ResumeJournalOptions) => Resumed): Subject {
  return (options) => {
    const journal = new ResumeJournal(options);
    return {
      restore: () => change(journal.restore(), options),
      verified: (piece, now) => journal.verified(piece, now),
      refuted: (piece) => journal.refuted(piece),
      close: (late) => journal.close(late),
    };
  };
}

export const resumeTarget = defineTarget({
  name: "resume",
  runs: 6_000,
  maxLength: 64,
  tokens: ["\0\0\0\0\xff\xff\xff", "\x08\0\0\0\xff\x0f\xf0", "\0\0\0\x01", "\x01", "\x04"],
  numbers: [],
  subject: (options) => new ResumeJournal(options),
  check,
  accepts: (input) => input.length >= 4,
  planted: {
    "a boot that is not known is trusted": (options) =>
      new ResumeJournal({
        ...options,
        bootId: options.store.download(INFO_HASH, PART)?.bootId === "" ? "" : options.bootId,
      }),
    "the inode is not compared": (options) => {
      const inode = options.store.download(INFO_HASH, PART)?.partInode ?? INODE;
      return new ResumeJournal({ ...options, part: { ...options.part, inode } });
    },
    "the times are not compared": (options) => {
      const times = options.store.download(INFO_HASH, PART)?.stopped ?? TIMES;
      return new ResumeJournal({ ...options, part: { ...options.part, times } });
    },
    "a bitfield of another size counts": planted((resumed, { store }) => {
      const bytes = store.download(INFO_HASH, PART)?.bitfield ?? new Uint8Array(0);
      const padded = Uint8Array.from({ length: 3 }, (_, at) => bytes[at] ?? 0);
      const isShort = bytes.length === 2 && bytes[0] === 0xff;
      return isShort
        ? { ...resumed, trusted: Bitfield.parse(padded, GEOMETRY.pieceCount) ?? resumed.trusted }
        : resumed;
    }),
    "doubts are dropped": planted((resumed) => ({ ...resumed, recheck: resumed.recheck.slice(0, 20) })),
  },
});
