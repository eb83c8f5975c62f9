import { describe, expect, test } from "bun:test";
import { restartWithEngineSettings, withEngineSettings } from "../../src/cli/engine-settings.ts";

const OPTIMISE = "BUN_JSC_thresholdForOptimizeAfterWarmUp";
const COMPILE = "BUN_JSC_thresholdForJITAfterWarmUp";

describe("withEngineSettings", () => {
  test("adds the settings to what is there", () => {
    expect(withEngineSettings({ HOME: "/root", EMPTY: "" })).toEqual({
      HOME: "/root",
      EMPTY: "",
      [OPTIMISE]: "1000000",
      [COMPILE]: "20000",
    });
  });

  test("leaves alone what the user has set, and adds the rest", () => {
    expect(withEngineSettings({ [OPTIMISE]: "7" })).toEqual({ [OPTIMISE]: "7", [COMPILE]: "20000" });
    expect(withEngineSettings({ [OPTIMISE]: "7", [COMPILE]: "8" })).toBeUndefined();
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
    restartWithEngineSettings(["serve", "file"]);
    expect([process.env[OPTIMISE], process.env[COMPILE]]).toEqual([undefined, undefined]);
  });
});
