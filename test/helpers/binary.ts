// The compiled executable as users run it: never older than its sources, in a process of its own, observed by its plain output
// or its JSON events.
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import type { SessionEvent, TransferSnapshot } from "../../src/session/report/session-event.ts";
import { Child } from "./child.ts";
import { binaryPath, staleness } from "./executable.ts";
import type { TestFixture } from "./test-directory.ts";

const UNPRIVILEGED_USER = 65534;

export type EventOf<Type extends SessionEvent["type"]> = Extract<SessionEvent, { readonly type: Type }>;

export interface RunOptions {
  /** Default: a new empty directory that the process may write to. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a new loopback address; undefined leaves --ip out. */
  readonly ip?: string | undefined;
  /** Default true: adds --json. */
  readonly json?: boolean;
  /** A user without privileges: root itself would pass every permission check. */
  readonly asNobody?: boolean;
}

export class P2pfile extends Child {
  readonly cwd: string;
  readonly ip: string | undefined;
  #parsed: SessionEvent[] = [];

  constructor(
    command: readonly string[],
    cwd: string,
    ip: string | undefined,
    env: Readonly<Record<string, string>>,
  ) {
    super(command, { cwd, env });
    this.cwd = cwd;
    this.ip = ip;
  }

  /** Every event so far, one per line of stdout. @throws when a line is not an event of version 1 of the schema. */
  get events(): readonly SessionEvent[] {
    for (const line of this.lines.stdout.slice(this.#parsed.length)) {
      const { v, event, ...fields } = JSON.parse(line.text);
      if (v !== 1 || typeof event !== "string") throw new Error(`not an event: ${line.text}`);
      this.#parsed.push({ ...fields, type: event });
    }
    return this.#parsed;
  }

  eventsOf<Type extends SessionEvent["type"]>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  waitForEvent<Type extends SessionEvent["type"]>(
    type: Type,
    matches: (event: EventOf<Type>) => boolean = () => true,
    timeoutMs = 20_000,
  ): Promise<EventOf<Type>> {
    return this.waitFor(`the event "${type}"`, () => this.eventsOf(type).find(matches), timeoutMs);
  }

  /** performance.now() of every event that matches. @throws when there is none. */
  timesOf(matches: (event: SessionEvent) => boolean): number[] {
    const times = this.events.flatMap((event, index) =>
      matches(event) ? [this.lines.stdout[index]?.at ?? Number.NaN] : [],
    );
    if (times.length === 0) throw new Error(`no such event from ${this.command.join(" ")}`);
    return times;
  }

  /** The magnet of the file at `index`, from an event or from the plain line. */
  async magnet(index = 0, timeoutMs = 20_000): Promise<string> {
    return this.waitFor(
      `magnet ${index}`,
      () => {
        if (!this.command.includes("--json"))
          return this.lines.stdout.filter((line) => line.text.startsWith("magnet:"))[index]?.text;
        return this.eventsOf("serving").find((event) => event.index === index)?.magnet;
      },
      timeoutMs,
    );
  }

  /** The latest snapshot of the torrent at `index`. */
  snapshot(index = 0): TransferSnapshot | undefined {
    return this.eventsOf("progress")
      .flatMap((event) => event.transfers)
      .findLast((transfer) => transfer.index === index);
  }

  /** Waits until the progress of the torrent at `index` satisfies `matches`. */
  async waitForProgress(
    matches: (snapshot: TransferSnapshot) => boolean,
    index = 0,
    timeoutMs = 30_000,
  ): Promise<TransferSnapshot> {
    return this.waitFor(
      "matching progress",
      () => {
        const latest = this.snapshot(index);
        return latest !== undefined && matches(latest) ? latest : undefined;
      },
      timeoutMs,
    );
  }
}

/** Starts the executable with `args`; `fixture` ends it. */
export function runP2pfile(fixture: TestFixture, args: readonly string[], options: RunOptions = {}): P2pfile {
  const cwd = options.cwd ?? fixture.directory("cwd");
  if (options.asNobody === true && options.cwd === undefined) chmodSync(cwd, 0o777);
  const hasNode = args[0] === "serve" || args[0] === "download";
  const ip = "ip" in options ? options.ip : hasNode ? fixture.address() : undefined;
  const program =
    options.asNobody === true && process.getuid?.() === 0
      ? [...asNobody(), copyForEveryone(fixture)]
      : [binaryPath];
  const flags = [
    ...(ip === undefined ? [] : ["--ip", ip]),
    ...(hasNode && options.json !== false ? ["--json"] : []),
  ];
  const command = [...program, ...args.slice(0, 1), ...flags, ...args.slice(1)];
  return fixture.adopt(new P2pfile(command, cwd, ip, { HOME: cwd, ...options.env }));
}

/** The `x.pe` addresses of a magnet. */
export function addressesOf(magnet: string): string[] {
  return new URLSearchParams(magnet.slice("magnet:?".length)).getAll("x.pe");
}

export function infoHashOfMagnet(magnet: string): string {
  return /xt=urn:btih:([0-9a-f]{40})(&|$)/.exec(magnet)?.[1] ?? "";
}

function asNobody(): string[] {
  return ["setpriv", `--reuid=${UNPRIVILEGED_USER}`, `--regid=${UNPRIVILEGED_USER}`, "--clear-groups", "--"];
}

/** A copy elsewhere: the checkout may be in a home directory that other users cannot enter. */
function copyForEveryone(fixture: TestFixture): string {
  const copy = join(fixture.directory("bin"), "p2pfile");
  copyFileSync(binaryPath, copy);
  return copy;
}

const stale = staleness();
if (stale !== undefined) throw new Error(`${stale}: run \`npm run build\``);
