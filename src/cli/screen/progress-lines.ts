// Standard error during a session: log lines that stay, and below them, on a terminal, one live line per file that is
// redrawn in place; without a terminal a plain line per file every few seconds. The only writer to that stream.
import {
  MAX_OUTPUT_BACKLOG,
  PROGRESS_IDLE_LINE_MS,
  PROGRESS_LINE_MS,
  PROGRESS_REDRAW_MS,
} from "../limits.ts";
import { printable } from "../../core/format/file-name.ts";
import type { SessionEvent } from "../../session/report/session-event.ts";
import type { Environment } from "../environment.ts";
import { eventNotice } from "./event-notice.ts";
import type { FileProgress } from "./file-progress.ts";
import { isOver, updateFiles } from "./file-progress.ts";
import { liveLine, plainLine } from "./progress-line.ts";
import { canRedraw, hasColors, speaksUnicode } from "./terminal.ts";

const CLEAR_DOWN = "\u001b[J";

export class ProgressLines {
  readonly #environment: Pick<Environment, "stderr" | "now" | "every" | "variables">;
  readonly #isLive: boolean;
  readonly #files = new Map<number, FileProgress>();
  /** Of each file without a terminal: the last line and when it was written. */
  readonly #said = new Map<number, { readonly line: string; readonly at: number }>();
  /** Widths of the live lines on the screen; the cursor stands at the start of the line below them. */
  #painted: readonly number[] = [];
  #paintedAt = -Infinity;
  #isStale = false;
  readonly #stop: () => void;

  constructor(environment: Pick<Environment, "stderr" | "now" | "every" | "variables">) {
    this.#environment = environment;
    this.#isLive = canRedraw(environment.stderr, environment.variables);
    this.#stop = environment.every(this.#isLive ? PROGRESS_REDRAW_MS : PROGRESS_LINE_MS, () => this.tick());
  }

  handle(event: SessionEvent): void {
    for (const file of updateFiles(this.#files, event)) this.#files.set(file.index, file);
    const notice = eventNotice(event);
    if (notice !== undefined) this.print(notice);
    this.#isStale = true;
    this.tick();
  }

  /** A line that stays, above the live ones. `line` has no line break at its end. */
  print(line: string): void {
    const { stderr } = this.#environment;
    this.aside(() => stderr.write(`${line}\n`));
  }

  /** Lets `write` print to the same terminal: the live lines are erased before it and drawn again below. */
  aside(write: () => void): void {
    if (this.#painted.length === 0) return write();
    this.#environment.stderr.write(this.#eraser());
    this.#painted = [];
    write();
    this.#paint();
  }

  /** Shows what is due by now; cheap when nothing is. */
  tick(): void {
    const { stderr, now } = this.#environment;
    if (stderr.backlog > MAX_OUTPUT_BACKLOG) return;
    if (!this.#isLive) return this.#sayPlain(now());
    if (this.#isStale && now() - this.#paintedAt >= PROGRESS_REDRAW_MS) this.#paint();
  }

  /** Takes the live lines off the screen; nothing is drawn afterwards but what is printed. */
  finish(): void {
    this.#stop();
    this.#files.clear();
    if (this.#isLive && this.#painted.length > 0) this.#environment.stderr.write(this.#eraser());
    this.#painted = [];
  }

  #paint(): void {
    const { stderr, now } = this.#environment;
    const lines = this.#liveLines();
    this.#paintedAt = now();
    this.#isStale = false;
    if (lines.length === 0 && this.#painted.length === 0) return;
    // One write, so that no half-drawn state is ever seen.
    stderr.write(`${this.#eraser()}${lines.map((line) => `${line}\n`).join("")}`);
    this.#painted = lines.map((line) => Bun.stringWidth(line));
  }

  #liveLines(): readonly string[] {
    const { stderr, variables } = this.#environment;
    const files = this.#activeFiles();
    // More lines than the screen has could not be erased again.
    const room = Math.max(1, stderr.rows - 2);
    const shown = files.length > room ? files.slice(0, room - 1) : files;
    const style = {
      columns: stderr.columns,
      nameWidth: Math.max(0, ...shown.map((file) => Bun.stringWidth(printable(file.name)))),
      colors: hasColors(stderr, variables),
      unicode: speaksUnicode(variables),
    };
    const lines = shown.map((file) => liveLine(file, style));
    const hidden = files.length - shown.length;
    return hidden === 0 ? lines : [...lines, `and ${hidden} more`];
  }

  /** Back to the first live line. A terminal made narrower since has broken them into more rows. */
  #eraser(): string {
    if (this.#painted.length === 0) return "";
    const columns = Math.max(1, this.#environment.stderr.columns);
    const rows = this.#painted.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return `\r\u001b[${rows}A${CLEAR_DOWN}`;
  }

  #sayPlain(now: number): void {
    for (const file of this.#activeFiles()) {
      const before = this.#said.get(file.index);
      const line = plainLine(file);
      const pause = line === before?.line ? PROGRESS_IDLE_LINE_MS : PROGRESS_LINE_MS;
      if (before === undefined) {
        // The first line is due after the usual pause; a notice has just said the same.
        this.#said.set(file.index, { line: "", at: now });
      } else if (now - before.at >= pause) {
        this.#environment.stderr.write(`${line}\n`);
        this.#said.set(file.index, { line, at: now });
      }
    }
  }

  #activeFiles(): readonly FileProgress[] {
    return [...this.#files.values()].filter((file) => !isOver(file)).sort((a, b) => a.index - b.index);
  }
}
