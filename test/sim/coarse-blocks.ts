// A preload that gives the core longer blocks, so that a thousand machines can be simulated: BLOCK_LENGTH in
// src/core/torrent/limits.ts is multiplied by SIM_BLOCK_FACTOR, and limits that count blocks are divided by it, so that in
// bytes they stay the same. The core needs no parameter for this.
import { plugin } from "bun";

const factor = Number(process.env["SIM_BLOCK_FACTOR"] ?? 1);

/** @returns the source with one number changed. @throws when there is no such line: then this file is out of date. */
function change(source: string, pattern: RegExp, by: (value: string) => string): string {
  if (!pattern.test(source)) throw new Error(`coarse blocks: no line like ${pattern}`);
  return source.replace(pattern, (_line, before: string, value: string) => `${before}${by(value)};`);
}

const perBlock = (value: string) => `Math.max(1, Math.ceil((${value}) / ${factor}))`;

plugin({
  name: "coarse blocks",
  setup(build) {
    build.onLoad({ filter: /src\/core\/torrent\/limits\.ts$/ }, async ({ path }) => {
      let source = await Bun.file(path).text();
      source = change(source, /^(export const BLOCK_LENGTH = )([^;]+);/m, (value) => `${value} * ${factor}`);
      source = change(
        source,
        /^(export const MAX_REQUEST_LENGTH = )([^;]+);/m,
        (value) => `Math.max(${value}, BLOCK_LENGTH)`,
      );
      return { contents: source, loader: "ts" };
    });
    build.onLoad({ filter: /src\/core\/transfer\/limits\.ts$/ }, async ({ path }) => {
      let source = await Bun.file(path).text();
      const windows = [
        "MIN_REQUEST_WINDOW",
        "MIN_REQUEST_WINDOW_OF_LONG_PIECES",
        "MAX_REQUEST_WINDOW",
        "INITIAL_REQUEST_WINDOW",
      ];
      for (const name of windows) {
        source = change(source, new RegExp(`^(export const ${name} = )([^;]+);`, "m"), perBlock);
      }
      return { contents: source, loader: "ts" };
    });
  },
});
