import { describe, expect, test } from "bun:test";
import { allCommands } from "../../src/cli/commands/all-commands.ts";
import { restartWithEngineSettings, withEngineSettings } from "../../src/cli/engine-settings.ts";

const OPTIMISE = "BUN_JSC_thresholdForOptimizeAfterWarmUp";
const COMPILE = "BUN_JSC_thresholdForJITAfterWarmUp";
const HEAP = "BUN_JSC_smallHeapSize";
const WARM_UP = "BUN_JSC_useWarmUpMarkedBlocks";

describe("withEngineSettings", () => {
  test("adds the settings to what is there", () => {
    expect(withEngineSettings({ HOME: "/root", EMPTY: "" })).toEqual({
      HOME: "/root",
      EMPTY: "",
      [OPTIMISE]: "1000000",
      [COMPILE]: "20000",
      [HEAP]: "8388608",
      [WARM_UP]: "0",
    });
  });

  test("leaves alone what the user has set, and adds the rest", () => {
    const some = { [OPTIMISE]: "7", [HEAP]: "1" };
    expect(withEngineSettings(some)).toEqual({ ...some, [COMPILE]: "20000", [WARM_UP]: "0" });
    expect(withEngineSettings({ ...some, [COMPILE]: "8", [WARM_UP]: "1" })).toBeUndefined();
  });

  test("is done after one restart", () => {
    const restarted = withEngineSettings({ HOME: "/root" });
    expect(restarted && withEngineSettings(restarted)).toBeUndefined();
  });

  test("changes nothing in the environment it was given", () => {
    const env = { HOME: "/root" };
    withEngineSettings(env);
    expect(env).toEqual({ HOME: "/root" });
  });
});

describe("restartWithEngineSettings", () => {
  test("leaves a bun alone that runs the sources", () => {
    restartWithEngineSettings(["serve", "file"], allCommands, process);
    expect([process.env[OPTIMISE], process.env[COMPILE]]).toEqual([undefined, undefined]);
  });
});
