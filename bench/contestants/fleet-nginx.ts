// nginx on the first host and curl on all others: what a fleet does without a swarm.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CONTENT_NAME } from "./contestant.ts";
import {
  FLEET_PORT,
  type FleetContestant,
  seedHost,
  spawnOn,
  waitUntilListening,
} from "./fleet-contestant.ts";
import { nginx, nginxConfiguration } from "./nginx.ts";

export const fleetNginx: FleetContestant = {
  name: nginx.name,
  version: () => nginx.version(),
  async start(ground) {
    const host = seedHost(ground);
    const folder = ground.folderOf(host);
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    const configuration = join(folder, "nginx.conf");
    const listen = `${host.address}:${FLEET_PORT}`;
    writeFileSync(configuration, nginxConfiguration(listen, dirname(ground.content), temporary));
    const command = ["nginx", "-p", folder, "-c", configuration, "-e", join(folder, "error.log")];
    const seed = spawnOn(ground, host, command);
    await waitUntilListening(seed, FLEET_PORT);
    const url = `http://${listen}/${CONTENT_NAME}`;
    return {
      seed,
      leech: () => ({
        kind: "curl",
        command: ["curl", "--silent", "--show-error", "--fail", "--output", CONTENT_NAME, url],
        async completed(child, timeoutMs) {
          await child.waitForSuccess(timeoutMs);
          return Date.now();
        },
      }),
    };
  },
};
