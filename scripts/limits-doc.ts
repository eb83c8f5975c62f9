// Writes docs/LIMITS.md from every limits.ts of src and workers: `bun scripts/limits-doc.ts`. A test fails when the page is out of date.
import { join } from "node:path";
import { MAX_MAGNET_LENGTH, MAX_SHARED_NAME_LENGTH } from "../src/core/format/limits.ts";
import { REDIAL_PINNED_MAX_MS } from "../src/core/swarm/limits.ts";
import { MAX_CONNECTIONS, MAX_PEERS_SEEDING } from "../src/session/network/limits.ts";
import { IDLE_TIMEOUT_MS } from "../src/session/peer/limits.ts";
import {
  MAX_READ_SPANS,
  MAX_WRITE_SPANS,
  READ_SPAN_LENGTH,
  WRITE_SPAN_LENGTH,
} from "../src/storage/limits.ts";

const root = join(import.meta.dir, "..");
export const LIMITS_PAGE = join(root, "docs", "LIMITS.md");

const HEAD = `# Limits

Every queue, buffer, wait and retry of p2pfile has a bound. Each stands in the \`limits.ts\` of its folder; this page is made from them by
\`bun scripts/limits-doc.ts\`. Names end in their unit: \`_MS\` milliseconds, \`_LENGTH\` bytes, the others are counts. What an operator
may want to know beforehand:

- a process listens on one port (TCP and UDP) and keeps at most ${MAX_CONNECTIONS} connections; a seed serves up to ${MAX_PEERS_SEEDING} peers of a file;
- file size is not bounded by memory: what is held of a file are spans of ${WRITE_SPAN_LENGTH / 1024 / 1024} MiB for writing (${MAX_WRITE_SPANS} at most) and of
  ${READ_SPAN_LENGTH / 1024} KiB for reading (${MAX_READ_SPANS} at most);
- a peer that is silent for ${IDLE_TIMEOUT_MS / 1000} s is gone; addresses from the magnet and \`--peers\` are dialled for ever, every ${REDIAL_PINNED_MAX_MS / 1000} s at the longest;
- names of shared files have at most ${MAX_SHARED_NAME_LENGTH} bytes, and magnets ${MAX_MAGNET_LENGTH} characters.
`;

/** The limits files in the order of the layers. The first line of each is the title of its section. */
function limitFiles(): string[] {
  const layers = ["core", "wire", "net", "discovery", "storage", "hashing", "session", "cli"];
  const paths = [...new Bun.Glob("{src,workers}/**/limits.ts").scanSync(root)];
  const order = (path: string) =>
    path.startsWith("workers/") ? layers.length : layers.indexOf(path.split("/")[1] ?? "");
  return paths.toSorted((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
}

/** @returns the page for the current source. */
export async function limitsPage(): Promise<string> {
  const sections = await Promise.all(limitFiles().map((path) => section(path)));
  return `${[HEAD, ...sections].join("\n")}\n`;
}

async function section(path: string): Promise<string> {
  const source = await Bun.file(join(root, path)).text();
  const module: unknown = await import(join(root, path));
  const values = new Map<string, unknown>(Object.entries(module ?? {}));
  const title = /^\/\/ (.*?): every bound/.exec(source)?.[1];
  if (title === undefined) throw new Error(`${path}: its first line has no title`);
  const lines = [`## ${title}`, "", `\`${path}\``, "", "| limit | value | reason |", "| --- | ---: | --- |"];
  let comment = "";
  for (const line of source.split("\n")) {
    const name = /^export const ([A-Z0-9_]+) =/.exec(line)?.[1];
    // A limit without a comment shares the comment of the limit right above it.
    if (line === "" || line.startsWith("/**")) comment = "";
    if (/^(\/\*\*| \*)/.test(line)) comment += ` ${line.replace(/^\/\*\*|^ \*\/?|\*\/$/g, "").trim()}`;
    if (name !== undefined)
      lines.push(
        `| \`${name}\` | ${shown(name, values.get(name))} | ${comment.trim().replaceAll("|", "\\|")} |`,
      );
  }
  return `${lines.join("\n")}\n`;
}

function shown(name: string, value: unknown): string {
  if (typeof value !== "number") return String(value);
  if (!/LENGTH|BYTES|BUFFER|UPLOAD_IN_FLIGHT/.test(name)) return value.toLocaleString("en");
  const units: readonly (readonly [number, string])[] = [
    [2 ** 40, "Ti"],
    [2 ** 30, "Gi"],
    [2 ** 20, "Mi"],
    [1024, "Ki"],
  ];
  for (const [unit, name] of units) if (value >= unit && value % unit === 0) return `${value / unit} ${name}`;
  return value.toLocaleString("en");
}

if (import.meta.main) await Bun.write(LIMITS_PAGE, await limitsPage());
