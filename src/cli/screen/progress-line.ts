// One file's progress as one line of text, for a terminal (exactly so wide, the least important left out first) and for
// a log (a sentence). Pure: the same file and width give the same line.
import { printable } from "../../core/format/file-name.ts";
import { assertNever } from "../../lib/assert.ts";
import { formatBytes, formatSeconds } from "../../lib/units.ts";
import type { FileProgress } from "./file-progress.ts";
import { fitText, padText } from "./fit-text.ts";

export interface LineStyle {
  /** Of the terminal; the line stays one below, because some wrap after the last column. */
  readonly columns: number;
  /** Columns of the longest name, so that the lines of several files stand in columns. */
  readonly nameWidth: number;
  readonly colors: boolean;
  readonly unicode: boolean;
}

const MIN_NAME_WIDTH = 12;
const MIN_BAR_WIDTH = 10;
const MAX_BAR_WIDTH = 30;

interface Field {
  readonly text: string;
  /** The lowest goes first when the line is too long. */
  readonly importance: number;
}

/** The line for a terminal, without line break. */
export function liveLine(file: FileProgress, style: LineStyle): string {
  const room = Math.max(1, style.columns - 1);
  const ellipsis = style.unicode ? "…" : "...";
  const wantedName = Math.min(Math.max(style.nameWidth, MIN_NAME_WIDTH), Math.max(MIN_NAME_WIDTH, room >> 1));
  // Files of one model differ in the middle of long names: that is worth more than the last fields.
  const minName = Math.min(wantedName, room >= 100 ? 32 : room >= 70 ? 24 : MIN_NAME_WIDTH);
  const showsBar = file.phase !== "metadata" && file.phase !== "seeding";
  let fields = fieldsOf(file, style);
  const widthOf = (list: readonly Field[]) =>
    list.reduce((sum, field) => sum + 2 + Bun.stringWidth(field.text), 0);
  const barShare = showsBar && room >= 60 ? MIN_BAR_WIDTH + 2 : 0;
  while (fields.length > 1 && minName + barShare + widthOf(fields) > room) {
    const least = Math.min(...fields.map((field) => field.importance));
    fields = fields.filter((field) => field.importance !== least);
  }
  const nameWidth = Math.max(1, Math.min(wantedName, room - barShare - widthOf(fields)));
  const name = padText(printable(file.name), nameWidth, ellipsis);
  const texts = fields.map((field) => field.text);
  const left = room - nameWidth - widthOf(fields) - 2;
  if (barShare > 0 && left >= MIN_BAR_WIDTH) {
    // Behind the percentage, which every such line begins with.
    texts.splice(1, 0, bar(fractionOf(file), Math.min(MAX_BAR_WIDTH, left), style));
  }
  const line = [name, ...texts].join("  ").trimEnd();
  return Bun.stringWidth(line) <= room ? line : fitText(Bun.stripANSI(line), room, ellipsis);
}

/** The sentence for a log. */
export function plainLine(file: FileProgress): string {
  const name = printable(file.name);
  const connected = countPeers(file);
  switch (file.phase) {
    case "hashing":
      return `${name}: hashing, ${percent(file)} of ${formatBytes(file.size)}`;
    case "metadata":
      return `${name}: waiting for metadata, ${connected}`;
    case "checking":
      return `${name}: checking, ${percent(file)} of ${formatBytes(file.size)}`;
    case "downloading": {
      const rates = `${formatBytes(file.downloadRate)}/s down, ${formatBytes(file.uploadRate)}/s up`;
      const eta = Number.isFinite(file.etaSeconds) ? `, ETA ${formatSeconds(file.etaSeconds)}` : "";
      return `${name}: ${percent(file)} of ${formatBytes(file.size)}, ${rates}${eta}, ${connected}`;
    }
    case "seeding": {
      const total = `${formatBytes(file.uploaded)} in all`;
      const done = file.hosts === 0 ? "" : `, ${countDone(file)}`;
      return `${name}: seeding, ${formatBytes(file.uploadRate)}/s up, ${total}, ${connected}${done}`;
    }
    case "complete":
    case "failed":
    case "ended":
      return `${name}: ${file.phase}`;
    default:
      return assertNever(file.phase);
  }
}

function fieldsOf(file: FileProgress, style: LineStyle): readonly Field[] {
  const [down, up] = style.unicode ? ["↓", "↑"] : ["down ", "up "];
  const rate = (bytes: number) => `${formatBytes(bytes)}/s`.padStart(10);
  // As wide for one peer as for many, so that the bars of several files are equally long.
  const peers = { text: countPeers(file).padEnd(18), importance: 4 };
  const share = { text: paint(percent(file).padStart(4), "bold", style), importance: 9 };
  const size = {
    text: `${formatBytes(file.completed)}/${formatBytes(file.size)}`.padStart(17),
    importance: 3,
  };
  switch (file.phase) {
    case "hashing":
    case "checking":
      return [share, { text: file.phase, importance: 8 }, size];
    case "metadata":
      return [{ text: "waiting for metadata", importance: 9 }, peers];
    case "seeding":
      return [
        { text: paint("seeding", "green", style), importance: 9 },
        { text: `${up}${rate(file.uploadRate)}`, importance: 8 },
        { text: `${formatBytes(file.uploaded)} sent`, importance: 3 },
        peers,
        ...(file.hosts === 0 ? [] : [{ text: countDone(file), importance: 5 }]),
      ];
    case "downloading":
    case "complete":
    case "failed":
    case "ended":
      return [
        share,
        size,
        { text: `${down}${rate(file.downloadRate)}`, importance: 8 },
        { text: `${up}${rate(file.uploadRate)}`, importance: 2 },
        { text: `ETA ${formatSeconds(file.etaSeconds)}`.padEnd(10), importance: 7 },
        peers,
      ];
    default:
      return assertNever(file.phase);
  }
}

function countPeers(file: FileProgress): string {
  const peers = file.peers === 1 ? "1 peer" : `${file.peers} peers`;
  if (file.seeds === 0) return peers;
  return `${peers} (${file.seeds === 1 ? "1 seed" : `${file.seeds} seeds`})`;
}

/** "3 of 10 hosts done". */
function countDone({ hosts, hostsDone }: FileProgress): string {
  return `${hostsDone} of ${hosts === 1 ? "1 host" : `${hosts} hosts`} done`;
}

function fractionOf(file: FileProgress): number {
  return file.size <= 0 ? 0 : Math.min(1, Math.max(0, file.completed / file.size));
}

/** Rounded down: 100% is said only of what is whole. */
function percent(file: FileProgress): string {
  return `${Math.floor(fractionOf(file) * 100)}%`;
}

function bar(fraction: number, width: number, style: LineStyle): string {
  if (!style.unicode) {
    const full = Math.floor(fraction * (width - 2));
    return `[${paint("#".repeat(full), "cyan", style)}${"-".repeat(width - 2 - full)}]`;
  }
  const full = Math.floor(fraction * width);
  return paint("█".repeat(full), "cyan", style) + paint("░".repeat(width - full), "dim", style);
}

const codes = { bold: [1, 22], dim: [2, 22], green: [32, 39], cyan: [36, 39] } as const;

function paint(text: string, color: keyof typeof codes, style: LineStyle): string {
  if (!style.colors || text === "") return text;
  const [on, off] = codes[color];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
