// `npm run demo`: serves the built executable (about 110 MB) from this machine, downloads it by its magnet in a second process,
// compares the two files, and prints how to download it on other machines. Removes its files.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** MiB/s: slow enough to watch the progress. */
const DEMO_RATE = 32;
const program = resolve(import.meta.dir, "../dist/p2pfile");
const folder = mkdtempSync(join(tmpdir(), "p2pfile-demo-"));
const seedLog = join(folder, "seed.log");
let seed: Bun.Subprocess<"ignore", "pipe", Bun.BunFile> | undefined;

interface Seed {
  readonly process: Bun.Subprocess<"ignore", "pipe", Bun.BunFile>;
  readonly magnet: string;
}

/** Serves the executable on loopback, so that the demo needs no network. @returns undefined without a magnet. */
async function startSeed(): Promise<Seed | undefined> {
  const cwd = join(folder, "seed");
  mkdirSync(cwd);
  console.info(`$ p2pfile serve --ip 127.0.0.1 ${program}`);
  const child = Bun.spawn([program, "serve", "--ip", "127.0.0.1", program], {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    // Two progress lines would overwrite each other: only the download shows its own.
    stderr: Bun.file(seedLog),
  });
  seed = child;
  let text = "";
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    const magnet = /^magnet:\S+$/m.exec(text)?.[0];
    if (magnet !== undefined && text.includes("\n")) return { process: child, magnet };
  }
  await child.exited;
  console.error(readFileSync(seedLog, "utf8"));
  return undefined;
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

async function demo(): Promise<number> {
  const started = await startSeed();
  if (started === undefined) return 1;
  console.info(`${started.magnet}\n`);

  const target = join(folder, "target");
  mkdirSync(target);
  const command = [
    "download",
    "--ip",
    "127.0.0.1",
    "--dir",
    target,
    "--download-limit",
    String(DEMO_RATE),
    started.magnet,
  ];
  console.info(`$ p2pfile download --ip 127.0.0.1 --download-limit ${DEMO_RATE} '${started.magnet}'`);
  const leech = Bun.spawn([program, ...command], {
    cwd: target,
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  });
  const exitCode = await leech.exited;
  if (exitCode !== 0) return exitCode;

  const [served, fetched] = [sha256(program), sha256(join(target, "p2pfile"))];
  console.info(`\nserved      SHA-256 ${served}`);
  console.info(`downloaded  SHA-256 ${fetched}`);
  if (served !== fetched) {
    console.error("The files differ.");
    return 1;
  }
  console.info("\nThe same on your own machines: copy the one file dist/p2pfile to each of them, then");
  console.info(`\n  on the machine that has the file      p2pfile serve FILE`);
  console.info(`  on every machine that wants it        p2pfile download 'MAGNET'`);
  console.info(
    `\nwhere MAGNET is the line that serve prints. Without --ip it names this machine's own address.\n`,
  );
  return 0;
}

async function cleanUp(): Promise<void> {
  if (seed !== undefined) {
    seed.kill("SIGTERM");
    await seed.exited;
  }
  rmSync(folder, { recursive: true, force: true });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => void cleanUp().then(() => process.exit(130)));
}
try {
  process.exitCode = await demo();
} finally {
  await cleanUp();
}
