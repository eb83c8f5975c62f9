// Standard error of a session: drawn on a terminal that is played back here, and written line by line without one.
import { describe, expect, test } from "bun:test";
import { ProgressLines } from "../../../src/cli/screen/progress-lines.ts";
import { FakeEnvironment } from "../fake-environment.ts";
import { completed, progress, serving } from "../session-script.ts";

/** Plays back what a terminal does with the few sequences that are used. @returns the rows as seen. */
function screen(text: string): string[] {
  const rows: string[] = [""];
  let row = 0;
  // Escape sequences are marked with a character that a regular expression may name.
  for (const [part, up] of text.replaceAll("\u001b", "␛").matchAll(/␛\[(\d+)A|␛\[J|\r|\n|[^␛\r\n]+/g)) {
    if (up !== undefined) row -= Number(up);
    else if (part === "␛[J") rows.splice(row, rows.length, "");
    else if (part === "\n") rows[++row] ??= "";
    else if (part !== "\r") rows[row] += part;
    if (row < 0) throw new Error("the cursor left the screen");
  }
  return rows.slice(0, -1);
}

function terminal(changes: Partial<FakeEnvironment["stderr"]> = {}, variables: Record<string, string> = {}) {
  const environment = new FakeEnvironment();
  Object.assign(environment.stderr, { isTerminal: true }, changes);
  environment.variables = { NO_COLOR: "1", LANG: "C.UTF-8", ...variables };
  return { environment, lines: new ProgressLines(environment) };
}

const names = (text: string) => screen(text).map((row) => row.slice(0, 10).trim());

describe("ProgressLines on a terminal", () => {
  test("draws one line per file in place, in the order of the command line", () => {
    const { environment, lines } = terminal();
    for (let step = 0; step < 10; step++) {
      lines.handle(
        progress({ index: 1, name: "b.bin" }, { index: 0, name: "a.bin", completed: step * 2 ** 28 }),
      );
      environment.advance(200);
    }
    const rows = screen(environment.stderr.text);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toStartWith("a.bin          56%  ");
    expect(rows[1]).toStartWith("b.bin          42%  ");
  });

  test("is redrawn at most five times a second", () => {
    const { environment, lines } = terminal();
    let writes = 0;
    const write = environment.stderr.write.bind(environment.stderr);
    environment.stderr.write = (text) => (writes++, write(text));
    for (let step = 0; step < 1000; step++) {
      lines.handle(progress({ completed: step }));
      environment.advance(1);
    }
    expect(writes).toBeGreaterThan(3);
    expect(writes).toBeLessThanOrEqual(6);
    // What came last is shown although nothing comes after it.
    lines.handle(progress({ completed: 2 ** 32 }));
    environment.advance(200);
    expect(screen(environment.stderr.text)[0]).toContain("100%");
  });

  test("puts log lines and notices above the live lines", () => {
    const { environment, lines } = terminal();
    lines.handle(progress({ index: 0, name: "a.bin" }, { index: 1, name: "b.bin" }));
    lines.print("p2pfile: warning: one");
    environment.advance(1000);
    lines.handle(progress({ index: 0, name: "a.bin" }, { index: 1, name: "b.bin" }));
    lines.handle(completed(0, "a.bin"));
    expect(screen(environment.stderr.text)).toEqual([
      "p2pfile: warning: one",
      "a.bin: complete, 4.00 GiB in 36s, 114 MiB/s",
      expect.stringMatching(/^b\.bin +42% /),
    ]);
  });

  test("shows a file that goes on seeding after it is complete, and drops one that failed", () => {
    const { environment, lines } = terminal();
    lines.handle(progress({ index: 0, name: "a.bin" }, { index: 1, name: "b.bin" }));
    lines.handle(completed(0, "a.bin"));
    lines.handle({ type: "failed", index: 1, subject: "b.bin", message: "b.bin: no peer", exitCode: 6 });
    environment.advance(200);
    expect(names(environment.stderr.text)).toEqual(["a.bin: com", "p2pfile: b"]);
    lines.handle(progress({ index: 0, name: "a.bin", phase: "seeding" }, { index: 1, name: "b.bin" }));
    environment.advance(200);
    expect(names(environment.stderr.text)).toEqual(["a.bin: com", "p2pfile: b", "a.bin"]);
  });

  test("shows hashing, then seeding", () => {
    const { environment, lines } = terminal();
    lines.handle({ type: "hashing", index: 0, name: "model.bin", done: 2 ** 30, size: 2 ** 32 });
    expect(screen(environment.stderr.text)).toEqual([expect.stringContaining("25%  ███████░")]);
    lines.handle(serving());
    environment.advance(200);
    expect(screen(environment.stderr.text)).toEqual([
      "model.bin: serving 4.00 GiB",
      expect.stringContaining("seeding  ↑"),
    ]);
  });

  test("never draws more lines than the screen has", () => {
    const { environment, lines } = terminal({ rows: 6 });
    lines.handle(progress(...Array.from({ length: 20 }, (_, index) => ({ index, name: `${index}.bin` }))));
    expect(names(environment.stderr.text)).toEqual(["0.bin", "1.bin", "2.bin", "and 17 mor"]);
  });

  test("erases lines that a narrower terminal has broken", () => {
    const { environment, lines } = terminal({ columns: 120 });
    lines.handle(progress({}));
    environment.stderr.columns = 40;
    environment.advance(200);
    lines.handle(progress({}));
    // 118 columns on a terminal of 40 are three rows.
    expect(environment.stderr.text).toContain("\u001b[3A");
  });

  test("leaves the screen clean and no timer behind", () => {
    const { environment, lines } = terminal();
    lines.handle(progress({}));
    lines.finish();
    lines.finish();
    lines.print("after");
    expect(screen(environment.stderr.text)).toEqual(["after"]);
    expect(environment.timerCount).toBe(0);
  });

  test("waits while the terminal does not take what was written", () => {
    const { environment, lines } = terminal({ backlog: 10 * 2 ** 20 });
    lines.handle(progress({}));
    environment.advance(10_000);
    expect(environment.stderr.text).toBe("");
  });

  test("is coloured unless NO_COLOR says otherwise", () => {
    const plain = terminal();
    plain.lines.handle(progress({}));
    expect(plain.environment.stderr.text).not.toContain("\u001b[36m");
    const colored = terminal({}, { NO_COLOR: "" });
    colored.lines.handle(progress({}));
    expect(colored.environment.stderr.text).toContain("\u001b[36m");
  });

  test("speaks ASCII where the locale does not say UTF-8", () => {
    const { environment, lines } = terminal({}, { LC_ALL: "C" });
    lines.handle(progress({}));
    expect(new TextEncoder().encode(environment.stderr.text).every((byte) => byte < 128)).toBe(true);
  });
});

describe("ProgressLines without a terminal", () => {
  const kinds: readonly (readonly [string, () => ReturnType<typeof terminal>])[] = [
    ["a pipe", () => terminal({ isTerminal: false })],
    ["TERM=dumb", () => terminal({}, { TERM: "dumb" })],
  ];
  for (const [kind, make] of kinds) {
    test(`${kind} gets a line per file every 5 s, without any control character`, () => {
      const { environment, lines } = make();
      for (let step = 0; step < 61; step++) {
        const completed = step * 2 ** 26;
        lines.handle(progress({ index: 0, name: "a", completed }, { index: 1, name: "b", completed }));
        environment.advance(200);
      }
      const written = environment.stderr.lines;
      expect(written.map((line) => line.slice(0, 2))).toEqual(["a:", "b:", "a:", "b:"]);
      for (const control of ["\u001b", "\r"]) expect(environment.stderr.text).not.toContain(control);
    });
  }

  test("a file that stands still is repeated once a minute, also when no event comes", () => {
    const { environment, lines } = terminal({ isTerminal: false });
    lines.handle(progress({ phase: "metadata", peers: 0, seeds: 0 }));
    environment.advance(130_000);
    expect(environment.stderr.lines).toEqual([
      "model.bin: waiting for metadata, 0 peers",
      "model.bin: waiting for metadata, 0 peers",
      "model.bin: waiting for metadata, 0 peers",
    ]);
    environment.advance(1_000);
    lines.handle(progress({}));
    environment.advance(10_000);
    expect(environment.stderr.lines).toHaveLength(4);
  });

  test("changes of state come at once", () => {
    const { environment, lines } = terminal({ isTerminal: false });
    lines.handle(progress({}));
    lines.handle(completed());
    environment.advance(60_000);
    expect(environment.stderr.lines).toEqual(["model.bin: complete, 4.00 GiB in 36s, 114 MiB/s"]);
  });
});
