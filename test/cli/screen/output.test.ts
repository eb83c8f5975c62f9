// What a session says on which stream, plain and as JSON.
import { describe, expect, test } from "bun:test";
import { DiskError } from "../../../src/lib/errors.ts";
import type { SessionContext } from "../../../src/session/context.ts";
import { FakeEnvironment } from "../fake-environment.ts";
import { type Script, runScript } from "../scripted-session.ts";
import { completed, infoHash, magnet, oneOfEach, progress, serving } from "../session-script.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

const emitAll: Script = (context) => {
  for (const event of oneOfEach) context.emit(event);
  return 0;
};

describe("Plain output", () => {
  test("is the magnet and the path, each as soon as it is known, and nothing else", async () => {
    const atOnce: string[] = [];
    const { stdout } = await runScript(["serve", "model.bin"], (context, environment) => {
      for (const event of oneOfEach) {
        context.emit(event);
        atOnce.push(environment.stdout.text);
      }
      return 0;
    });
    expect(stdout).toBe(`${magnet}\n/srv/model.bin\n`);
    expect(atOnce[2]).toBe(`${magnet}\n`);
    expect(atOnce[7]).toBe(stdout);
  });

  test("keeps the exact path for programs and a harmless one for terminals", async () => {
    const name = "a\u001b[2Jb";
    const piped = await runScript(["download", magnet], (context) => (context.emit(completed(0, name)), 0));
    expect(piped.stdout).toBe(`/srv/${name}\n`);
    const shown = await runScript(["download", magnet], (context, environment) => {
      environment.stdout.isTerminal = true;
      context.emit(completed(0, name));
      return 0;
    });
    expect(shown.stdout).toBe("/srv/a\\u{1b}[2Jb\n");
  });

  test("leaves everything else to stderr", async () => {
    const { stderr } = await runScript(["serve", "model.bin"], emitAll);
    expect(stderr.split("\n")).toEqual([
      "listening on 10.1.1.1:42083 and every other interface (--ip binds one)",
      "model.bin: serving 4.00 GiB",
      "model.bin: 4.00 GiB, metadata after 0.12s",
      "model.bin: complete, 4.00 GiB in 36s, 114 MiB/s",
      "model.bin: seeding ended after 42s: the ratio was reached (6.00 GiB sent, ratio 1.50)",
      "3 hosts are done: serving ends",
      "p2pfile: b.bin: no such file",
      "p2pfile: warning: the clock runs backwards",
      "",
    ]);
  });
});

test("An answer on the terminal of the progress takes the live lines off it first", async () => {
  const environment = new FakeEnvironment();
  environment.stdout.isTerminal = environment.stderr.isTerminal = true;
  environment.stdout.write = (text) => environment.stderr.write(text);
  const script: Script = (context) => {
    context.emit(progress({ index: 0, name: "a" }, { index: 1, name: "b" }));
    context.emit(completed(0, "a"));
    return 0;
  };
  const { stderr } = await runScript(["download", magnet], script, environment);
  // Two lines up, everything away, the path, and only then the notice.
  expect(stderr).toContain("\r\u001b[2A\u001b[J/srv/a\n");
  expect(stderr.indexOf("/srv/a\n")).toBeLessThan(stderr.indexOf("a: complete"));
  expect(stderr).toEndWith("\u001b[1A\u001b[J");
});

describe("--json", () => {
  test("is one event per line with version, name and time, and no plain answer", async () => {
    const { stdout } = await runScript(["serve", "model.bin", "--json"], emitAll);
    const lines = stdout.split("\n").slice(0, -1);
    const events = lines.map((line) => JSON.parse(line));
    expect(events.map((event) => event.event)).toEqual(oneOfEach.map((event) => event.type));
    for (const event of events) {
      expect(Object.keys(event).slice(0, 3)).toEqual(["v", "event", "time"]);
      expect(event).toMatchObject({ v: 1, time: "2030-01-02T03:04:05.000Z" });
    }
    const fieldsOf = (name: string) => {
      const { v: _v, event: _event, time: _time, ...fields } = events.find((event) => event.event === name);
      return fields;
    };
    for (const { type, ...fields } of oneOfEach) {
      if (type === "progress") continue;
      const { moments: _moments, ...plain } = { moments: undefined, ...fields };
      const times = "moments" in fields ? { t_first_peer: 15, t_metadata: 120, t_first_piece: 300 } : {};
      const end = "moments" in fields ? { t_done: 36_000 } : {};
      expect(fieldsOf(type)).toEqual({ ...plain, ...times, ...end });
    }
    expect(fieldsOf("progress").transfers).toEqual([
      {
        index: 0,
        name: "model.bin",
        infoHash,
        phase: "downloading",
        size: 4 * GiB,
        completed: 1.7 * GiB,
        downloadRate: 118 * MiB,
        uploadRate: 20 * MiB,
        downloaded: 1.8 * GiB,
        uploaded: GiB,
        peers: 12,
        seeds: 3,
        peers_by_source: { magnet: 1, flag: 0, dht: 2, pex: 0, exchange: 4, incoming: 5 },
        hosts: 0,
        hosts_done: 0,
        etaSeconds: null,
      },
    ]);
  });

  test("what has not happened on the way to a complete file is null", async () => {
    const { stdout } = await runScript(["download", magnet, "--json"], (context) => {
      const moments = { firstPeer: undefined, metadata: 3, firstPiece: undefined, done: 5 };
      for (const event of oneOfEach) if (event.type === "completed") context.emit({ ...event, moments });
      return 0;
    });
    expect(JSON.parse(stdout)).toMatchObject({ t_first_peer: null, t_metadata: 3, t_first_piece: null });
  });

  test("why the seeding ended is said in words", async () => {
    const words = {
      ratio: "the ratio was reached",
      time: "the time was up",
      swarm: "every host has the file",
    };
    for (const [reason, text] of Object.entries(words)) {
      const { stderr } = await runScript(["download", magnet], (context) => {
        for (const event of oneOfEach)
          if (event.type === "seedingEnded") context.emit({ ...event, reason: reason as keyof typeof words });
        return 0;
      });
      expect(stderr).toContain(`seeding ended after 42s: ${text} (`);
    }
  });

  test("every event and field stands in docs/JSON.md", async () => {
    const documentation = await Bun.file(new URL("../../../docs/JSON.md", import.meta.url)).text();
    const { stdout } = await runScript(["serve", "model.bin", "--json"], emitAll);
    for (const line of stdout.split("\n").slice(0, -1)) {
      const event = JSON.parse(line);
      const section = documentation
        .split(/^### /m)
        .find((section) => section.startsWith(`\`${event.event}\``));
      expect(section).toBeDefined();
      const fields = [...Object.keys(event).slice(3), ...Object.keys(event.transfers?.[0] ?? {})];
      for (const field of fields) expect(section).toContain(`\`${field}\``);
    }
    expect(documentation).toContain("### `error`");
  });

  test("progress and hashing come at most once a second, per file for hashing", async () => {
    const { stdout } = await runScript(["serve", "a", "--json"], (context, environment) => {
      for (let step = 0; step < 25; step++) {
        context.emit(progress({}));
        context.emit({ type: "hashing", index: 0, name: "a", done: step, size: 25 });
        context.emit({ type: "hashing", index: 1, name: "b", done: step, size: 25 });
        environment.advance(200);
      }
      return 0;
    });
    const names = stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).event]));
    expect(names.filter((name) => name === "progress")).toHaveLength(5);
    expect(names.filter((name) => name === "hashing")).toHaveLength(10);
  });

  test("progress is left out while the output is not read, answers are not", async () => {
    const { stdout } = await runScript(["serve", "a", "--json"], (context, environment) => {
      environment.stdout.backlog = 10 * 2 ** 20;
      context.emit(progress({}));
      context.emit(serving());
      return 0;
    });
    expect(stdout.split("\n").filter((line) => line !== "")).toHaveLength(1);
    expect(JSON.parse(stdout).event).toBe("serving");
  });

  test("an error that ends the session is an event too", async () => {
    const { stdout, stderr, exitCode } = await runScript(["download", magnet, "--json"], () => {
      throw new DiskError("/srv: the disk is full; free 4 GiB");
    });
    expect(JSON.parse(stdout)).toEqual({
      v: 1,
      event: "error",
      time: "2030-01-02T03:04:05.000Z",
      message: "/srv: the disk is full; free 4 GiB",
      exitCode: 5,
    });
    expect(stderr).toBe("p2pfile: /srv: the disk is full; free 4 GiB\n");
    expect(exitCode).toBe(5);
  });
});

describe("The log", () => {
  const talk: Script = ({ logger }) => {
    logger.debug("in detail");
    logger.info("by the way");
    for (let time = 0; time < 10; time++) logger.warn("100%d sure\u001b[2J\nof it");
    return 0;
  };

  test("is on stderr, without debug, one line per message, escaped and never held back", async () => {
    const { stdout, stderr } = await runScript(["serve", "x"], talk);
    expect(stdout).toBe("");
    const warning = "p2pfile: warning: 100%d sure\\u{1b}[2J of it\n";
    expect(stderr).toBe(`p2pfile: by the way\n${warning.repeat(10)}`);
  });

  test("has debug lines with a time under --debug, events among them", async () => {
    const { stderr } = await runScript(["serve", "x", "--debug"], (context, environment) => {
      void emitAll(context, environment);
      return talk(context, environment);
    });
    expect(stderr).toMatch(/^p2pfile: debug \d\d:\d\d:\d\d\.\d{3}: in detail$/m);
    expect(stderr).toMatch(
      /: 0123456789abcdef0123456789abcdef01234567: first peer \(magnet\) after 0\.01s$/m,
    );
    expect(stderr).toMatch(/: 0123456789abcdef0123456789abcdef01234567: first piece after 0\.30s$/m);
    expect(stderr.split("p2pfile: debug ")).toHaveLength(4);
  });
});

test("A session gets the directory, the signal and P2PFILE_IO", async () => {
  const environment = new FakeEnvironment();
  let seen: SessionContext | undefined;
  const note: Script = (context) => ((seen = context), 0);
  environment.variables = { P2PFILE_IO: "pread" };
  await runScript(["serve", "x"], note, environment);
  expect(seen).toMatchObject({ workingDirectory: "/nowhere", io: "pread", signal: environment.signal });
  environment.variables = {};
  await runScript(["serve", "x"], note, environment);
  expect(seen?.io).toBe("map");
});
