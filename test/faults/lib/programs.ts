// The tools of the machine that a fault needs: a job without them is skipped and names them.
import { binaryPath } from "../../helpers/executable.ts";
import { NotPossible } from "./job.ts";

/** @throws NotPossible */
export function needs(...programs: readonly string[]): void {
  const missing = programs.filter((program) => Bun.which(program) === null);
  if (missing.length > 0) throw new NotPossible(`${missing.join(", ")} not installed`);
}

/** @throws NotPossible */
export function needsRoot(what: string): void {
  if (process.getuid?.() !== 0) throw new NotPossible(`${what} needs root`);
}

/** @throws NotPossible when `command` fails. */
export function mustWork(command: readonly string[], what: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command]);
  if (exitCode !== 0) throw new NotPossible(`${what}: ${stderr.toString().trim().split("\n").at(-1) ?? ""}`);
  return stdout.toString();
}

/**
 * The executable under strace, which makes chosen system calls fail or ends the process at one.
 * @param inject as strace has it: "fsync:signal=KILL:when=3". `when` counts per thread.
 */
export function underStrace(
  inject: readonly string[],
  program: readonly string[],
  paths: readonly string[] = [],
) {
  const calls = inject.map((rule) => rule.slice(0, rule.indexOf(":"))).join(",");
  // A seccomp filter avoids stops at other calls; with it strace 6.1 miscounts calls where it sends signals.
  const filter = inject.some((rule) => rule.includes("signal=")) ? [] : ["--seccomp-bpf"];
  const rules = inject.flatMap((rule) => ["-e", `inject=${rule}`]);
  const places = paths.flatMap((path) => ["-P", path]);
  const options = ["-f", ...filter, "-e", `trace=${calls}`, ...rules, ...places, "-o", "/dev/null"];
  return ["strace", ...options, "--", binaryPath, ...program];
}
