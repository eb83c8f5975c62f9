// A command line whose session is a script of the test.
import type { ExitCode } from "../../src/lib/errors.ts";
import type { SessionContext } from "../../src/session/context.ts";
import { FakeEnvironment, runCaptured } from "./fake-environment.ts";

export type Script = (context: SessionContext, environment: FakeEnvironment) => ExitCode | Promise<ExitCode>;

export function runScript(argv: readonly string[], script: Script, environment = new FakeEnvironment()) {
  const session = async (_: unknown, context: SessionContext) => script(context, environment);
  environment.sessions = { serve: session, download: session };
  return runCaptured(argv, environment);
}
