import { describe, expect, test } from "bun:test";
import { restartWithEngineSettings, withEngineSettings } from "../../src/cli/engine-settings.ts";

const NAME = "BUN_JSC_thresholdForOptimizeAfterWarmUp";

describe("withEngineSettings", () => {
  test("adds the settings to what is there", () => {
    expect(withEngineSettings({ HOME: "/root", EMPTY: "" })).toEqual({
      HOME: "/root",
      EMPTY: "",
      [NAME]: "1000000",
    });
  });

  test("leaves alone what the user has set, so that a restart is never followed by another", () => {
    expect(withEngineSettings({ HOME: "/root", [NAME]: "7" })).toBeUndefined();
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
    expect(process.env[NAME]).toBeUndefined();
  });
});
