// libtorrent, the library of qBittorrent and Deluge, through its Python module and tuned for speed: libtorrent_peer.py.
import { dirname, join } from "node:path";
import { versionOf } from "../lib/machine.ts";
import { type Contestant, HOST, SEED_TIMEOUT_MS } from "./contestant.ts";

/** The interpreter of the system, for which distributions package the module; it leaves no byte code beside the scripts. */
export const PYTHON = ["/usr/bin/python3", "-B"] as const;
const SCRIPT = join(import.meta.dir, "libtorrent_peer.py");

export const libtorrent: Contestant = {
  name: "libtorrent",
  version: () =>
    versionOf([...PYTHON, "-c", "import libtorrent; print(libtorrent.__version__)"], /^([\d.]+)$/m),
  async start({ content, torrent, spawnSeed }) {
    const seed = spawnSeed([...PYTHON, SCRIPT, "seed", torrent, dirname(content)]);
    const port = await seed.waitForOutput(/^ready (\d+)$/m, SEED_TIMEOUT_MS);
    return {
      seed,
      leech: [...PYTHON, SCRIPT, "leech", torrent, ".", `${HOST}:${port}`],
      begunAt: (output) => Number(/^begun (\d+)$/m.exec(output)?.[1]),
    };
  },
};
