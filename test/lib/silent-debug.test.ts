import { expect, spyOn, test } from "bun:test";
import createDebug from "../../src/lib/silent-debug.ts";

test("the replacement of debug is called as the package is, says that it is off, and writes nothing", async () => {
  // The package itself, which has no types and comes with those that use it.
  const name: string = "debug";
  const { default: createLoud }: { default: unknown } = await import(name);
  if (typeof createLoud !== "function") throw new Error("debug is no function");
  for (const create of [createDebug, createLoud]) {
    const debug: unknown = Reflect.apply(create, undefined, ["bittorrent-dht"]);
    expect(typeof debug === "function" && "enabled" in debug && !debug.enabled).toBe(true);
  }
  const write = spyOn(process.stderr, "write");
  Reflect.apply(createDebug(), undefined, ["found node %s", 1]);
  expect(write).not.toHaveBeenCalled();
  write.mockRestore();
});
