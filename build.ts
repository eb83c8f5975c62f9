// `bun build.ts [--outfile PATH]`: the sources become one executable, dist/p2pfile, with the hash worker inside. The
// reasons for every option are in docs/adr/0005-build-and-workers.md.
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "./package.json" with { type: "json" };
import { formatBytes } from "./src/lib/units.ts";

const root = import.meta.dir;

export interface Build {
  /** Bytes of the executable. */
  readonly size: number;
  readonly milliseconds: number;
}

/**
 * Builds, tries and only then puts the executable in place. One commit and one base name of `outfile` give the same bytes,
 * in any directory. @throws Error with what went wrong.
 */
export async function build(outfile: string): Promise<Build> {
  const begun = performance.now();
  const wanted = packageJson.devDependencies.bun;
  if (Bun.version !== wanted) {
    throw new Error(`this is Bun ${Bun.version}, and p2pfile is built with ${wanted}: run \`npm ci\``);
  }
  const commit = sourceCommit(root);
  mkdirSync(dirname(outfile), { recursive: true });
  // Beside its place and renamed into it: a running executable cannot be overwritten, and an interrupted build leaves the
  // old one. In a directory of its own, because the executable holds the base name it is built under.
  const directory = mkdtempSync(join(dirname(outfile), ".p2pfile-build-"));
  try {
    const unfinished = join(directory, basename(outfile));
    await inDirectory(root, () => compile(unfinished, commit));
    smokeTest(unfinished);
    renameSync(unfinished, outfile);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return { size: statSync(outfile).size, milliseconds: performance.now() - begun };
}

/**
 * @param git the program to ask.
 * @returns the full hash of the commit that `directory` is a clean checkout of; "" when a file differs from it or is not in
 * it, and when there is no git or the directory is not the root of a repository.
 */
export function sourceCommit(directory: string, git = "git"): string {
  // The sources may lie in the repository of something else.
  const repository = ask(git, directory, ["rev-parse", "--show-toplevel"]);
  if (repository !== realpathSync(directory)) return "";
  const changes = ask(git, directory, ["--no-optional-locks", "status", "--porcelain"]);
  return changes === "" ? (ask(git, directory, ["rev-parse", "--verify", "HEAD"]) ?? "") : "";
}

/** @returns what git said, without the end of the line; undefined when it failed or is missing. */
function ask(git: string, directory: string, args: readonly string[]): string | undefined {
  if (Bun.which(git) === null) return undefined;
  const { success, stdout } = Bun.spawnSync([git, "-C", directory, ...args], { stderr: "ignore" });
  return success ? stdout.toString().trimEnd() : undefined;
}

const silentDebug: Bun.BunPlugin = {
  name: "silent debug",
  setup(bundler) {
    bundler.onResolve({ filter: /^debug$/ }, () => ({ path: join(root, "src/lib/silent-debug.ts") }));
  },
};

/** Bun names the modules of the executable by a hash of their paths from the current directory. */
async function inDirectory(directory: string, work: () => Promise<void>): Promise<void> {
  const before = process.cwd();
  process.chdir(directory);
  try {
    await work();
  } finally {
    process.chdir(before);
  }
}

async function compile(outfile: string, commit: string): Promise<void> {
  const result = await Bun.build({
    // In the executable the first one is /$bunfs/root/<its name>; the others keep their path from the root they share.
    entrypoints: [join(root, "src/main.ts"), join(root, "workers/hash-worker.ts")],
    root,
    target: "bun",
    format: "esm",
    minify: true,
    bytecode: true,
    splitting: true,
    sourcemap: "none",
    plugins: [silentDebug],
    define: {
      P2PFILE_HASH_WORKER: JSON.stringify("./workers/hash-worker.js"),
      P2PFILE_EXECUTABLE: "true",
      P2PFILE_COMMIT: JSON.stringify(commit),
    },
    // Without these two it would run code named by a bunfig.toml of the directory it is started in, and take its .env.
    // --smol: the collector sizes itself by what lives and not by the memory of the machine. The chunks of a transfer are
    // garbage at once; collected early, their pages are used again while they are warm (docs/adr/0005).
    compile: { outfile, autoloadBunfig: false, autoloadDotenv: false, execArgv: ["--smol"] },
    throw: false,
  });
  if (!result.success) throw new Error(["the sources do not build:", ...result.logs.map(String)].join("\n"));
}

/**
 * Runs it far from the sources, in a directory that tries to take it over, without any environment.
 * @throws Error when it does not answer its version and nothing else.
 */
export function smokeTest(executable: string): void {
  const trap = mkdtempSync(join(tmpdir(), "p2pfile-build-"));
  try {
    writeFileSync(join(trap, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    writeFileSync(join(trap, "preload.ts"), 'console.log("the preload of bunfig.toml ran");\n');
    writeFileSync(join(trap, ".env"), "P2PFILE_PORT=from-the-dotenv-file\n");
    const answer = run(executable, ["--version"], trap);
    if (answer !== `${packageJson.version}\n`) {
      throw new Error(`${executable} --version answered ${JSON.stringify(answer)}`);
    }
    const complaint = run(executable, ["serve", "/nonexistent"], trap);
    if (complaint.includes("from-the-dotenv-file")) throw new Error(`${executable} reads .env: ${complaint}`);
  } finally {
    rmSync(trap, { recursive: true });
  }
}

/** @returns all it said, on stdout and stderr. */
function run(executable: string, args: readonly string[], cwd: string): string {
  const { stdout, stderr } = Bun.spawnSync([executable, ...args], { cwd, env: {}, timeout: 10_000 });
  return stdout.toString() + stderr.toString();
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { outfile: { type: "string", default: "dist/p2pfile" } } });
  const outfile = resolve(root, values.outfile);
  try {
    const { size, milliseconds } = await build(outfile);
    console.log(`${outfile}  ${formatBytes(size)}  built and tried in ${Math.round(milliseconds)} ms`);
  } catch (error) {
    console.error(`build failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}
