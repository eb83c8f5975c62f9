// libtorrent, the library of qBittorrent and Deluge, through its Python module and tuned for speed: libtorrent_peer.py.
import { join } from "node:path";
import { versionOf } from "../lib/machine.ts";
import { type Contestant, HOST, SEED_TIMEOUT_MS } from "./contestant.ts";

/** The interpreter of the system, for which distributions package the module. */
export const PYTHON = "/usr/bin/python3";
const SCRIPT = join(import.meta.dir, "libtorrent_peer.py");

export const libtorrent: Contestant = {
  name: "libtorrent",
  version: () => versionOf([PYTHON, "-c", "import libtorrent; print(libtorrent.__version__)"], /^([\d.]+)$/m),
  async start({ bed, content, torrent, seedFolder }) {
    const seed = bed.spawn([PYTHON, SCRIPT, "seed", torrent, join(content, "..")], {
      cwd: seedFolder,
      log: join(seedFolder, "stderr"),
    });
    const port = await seed.waitForOutput(/^ready (\d+)$/m, SEED_TIMEOUT_MS);
    return {
      seed,
      leech: [PYTHON, SCRIPT, "leech", torrent, ".", `${HOST}:${port}`],
      begunAt: (output) => Number(/^begun (\d+)$/m.exec(output)?.[1]),
    };
  },
};
