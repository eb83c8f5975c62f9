// The pictures of the README, bench/results/{transfer,hash,fleet}.svg, from the .jsonl files there.
// Usage: npm run bench -- plot [--size SIZE] [--presets a,b] [--from DIRECTORY] [--out DIRECTORY]
//   (of transfer and hash the latest of SIZE, or of the largest size; of fleet the latest of each preset)
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type FleetLine, fleetPicture } from "./charts/fleet.ts";
import { type HashLine, hashPicture } from "./charts/hash.ts";
import { drawPage, type Picture } from "./charts/page.ts";
import { latestOfSize } from "./charts/results.ts";
import { type TransferLine, transferPicture } from "./charts/transfer.ts";
import { readResults, resultsPath } from "./lib/result-lines.ts";
import { parseSize } from "./lib/size.ts";

const { values: flags } = parseArgs({
  options: {
    from: { type: "string", default: dirname(resultsPath("transfer")) },
    out: { type: "string", default: dirname(resultsPath("transfer")) },
    size: { type: "string" },
    presets: { type: "string", default: "a,b" },
  },
});
const size = flags.size === undefined ? undefined : parseSize(flags.size);

function save(name: string, picture: Picture | undefined): void {
  if (picture === undefined) {
    console.error(`no results of ${name} to draw`);
    return;
  }
  const path = join(resolve(flags.out), `${name}.svg`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, drawPage(picture));
  console.log(path);
}

// Only transfer.ts, hash.ts and fleet.ts write these lines.
const transfers = readResults(join(flags.from, "transfer.jsonl")) as TransferLine[];
save("transfer", transferPicture(latestOfSize(transfers, size)));
const hashes = readResults(join(flags.from, "hash.jsonl")) as HashLine[];
const withReference = hashes.filter(({ reference }) => reference !== undefined);
save("hash", hashPicture(latestOfSize(withReference, size)));
const fleets = readResults(join(flags.from, "fleet.jsonl")) as FleetLine[];
save("fleet", fleetPicture(fleets, flags.presets.split(",")));
