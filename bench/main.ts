// `npm run bench -- NAME [ARGUMENTS]`: runs bench/NAME.ts with the arguments. Without a name it lists them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const scripts = readdirSync(import.meta.dir)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -".ts".length))
  .filter((name) => isBenchmark(name));

/** Those tell how they are used; the others are parts of them. */
function isBenchmark(name: string): boolean {
  return readFileSync(join(import.meta.dir, `${name}.ts`), "utf8").includes("Usage: ") && name !== "main";
}

const name = process.argv[2];
if (name === undefined || !scripts.includes(name)) {
  if (name !== undefined) console.error(`${name}: no such benchmark`);
  console.error(`npm run bench -- NAME [ARGUMENTS], where NAME is one of: ${scripts.toSorted().join(", ")}`);
  process.exit(2);
}
// The script sees its arguments as if it had been started itself.
process.argv.splice(1, 2, join(import.meta.dir, `${name}.ts`));
await import(`./${name}.ts`);
