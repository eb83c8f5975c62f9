// Writes docs/LIMITS.md from src/core/limits.ts: `bun scripts/limits-doc.ts`. A test fails when the page is out of date.
import { join } from "node:path";
import * as limits from "../src/core/limits.ts";

const root = join(import.meta.dir, "..");
export const LIMITS_PAGE = join(root, "docs", "LIMITS.md");

const HEAD = `# Limits

Every queue, buffer, wait and retry of p2pfile has a bound. They live in \`src/core/limits.ts\`; this page is made from it by
\`bun scripts/limits-doc.ts\`. Names end in their unit: \`_MS\` milliseconds, \`_LENGTH\` bytes, the others are counts. What an operator
may want to know beforehand:

- a process listens on one port (TCP and UDP) and keeps at most ${limits.MAX_CONNECTIONS} connections; a seed serves up to ${limits.MAX_PEERS_SEEDING} peers of a file;
- file size is not bounded by memory: what is held of a file are spans of ${limits.WRITE_SPAN_LENGTH / 1024 / 1024} MiB for writing (${limits.MAX_WRITE_SPANS} at most) and of
  ${limits.READ_SPAN_LENGTH / 1024} KiB for reading (${limits.MAX_READ_SPANS} at most);
- a peer that is silent for ${limits.IDLE_TIMEOUT_MS / 1000} s is gone; addresses from the magnet and \`--peers\` are dialled for ever, every ${limits.REDIAL_PINNED_MAX_MS / 1000} s at the longest;
- names of shared files have at most ${limits.MAX_SHARED_NAME_LENGTH} bytes, and magnets ${limits.MAX_MAGNET_LENGTH} characters.
`;

/** The page for the limits as they are in the source. */
export async function limitsPage(): Promise<string> {
  const source = await Bun.file(join(root, "src", "core", "limits.ts")).text();
  const values = new Map<string, unknown>(Object.entries(limits));
  const lines = [HEAD];
  let comment = "";
  for (const line of source.split("\n")) {
    const section = /^\/\/ --- (.*?) -+$/.exec(line)?.[1];
    const name = /^export const ([A-Z0-9_]+) =/.exec(line)?.[1];
    if (section !== undefined)
      lines.push(`\n## ${section}\n\n| limit | value | reason |\n| --- | ---: | --- |`);
    // A limit without a comment shares that of the one right above it, and of no other.
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
