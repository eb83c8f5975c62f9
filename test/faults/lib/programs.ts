// Which tools of the machine a fault needs: found, or the job is skipped with their names.
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
  // A filter in the kernel spares all other calls the stop; with it strace 6.1 counts calls wrong where it sends signals.
  const filter = inject.some((rule) => rule.includes("signal=")) ? [] : ["--seccomp-bpf"];
  const rules = inject.flatMap((rule) => ["-e", `inject=${rule}`]);
  const places = paths.flatMap((path) => ["-P", path]);
  const options = ["-f", ...filter, "-e", `trace=${calls}`, ...rules, ...places, "-o", "/dev/null"];
  return ["strace", ...options, "--", binaryPath, ...program];
}
