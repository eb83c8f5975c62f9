// nginx and curl: a plain download, the bytes from the page cache to the socket inside the kernel. No check of any hash.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { versionOf } from "../lib/machine.ts";
import { CONTENT_NAME, type Contestant, freePort, HOST, waitForListener } from "./contestant.ts";

export const nginx: Contestant = {
  name: "nginx + curl",
  version() {
    const server = versionOf(["nginx", "-v"], /nginx\/(\S+)/);
    const client = versionOf(["curl", "--version"], /^curl (\S+)/);
    return server === undefined || client === undefined ? undefined : `${server} + ${client}`;
  },
  async start({ content, seedFolder, spawnSeed }) {
    const port = freePort();
    const temporary = join(seedFolder, "tmp");
    mkdirSync(temporary);
    const configuration = join(seedFolder, "nginx.conf");
    writeFileSync(configuration, nginxConfiguration(`${HOST}:${port}`, dirname(content), temporary));
    const command = ["nginx", "-p", seedFolder, "-c", configuration, "-e", join(seedFolder, "error.log")];
    const seed = spawnSeed(command);
    await waitForListener(port, seed);
    const url = `http://${HOST}:${port}/${CONTENT_NAME}`;
    return { seed, leech: ["curl", "--silent", "--show-error", "--fail", "--output", CONTENT_NAME, url] };
  },
};

/** One process in the foreground, under our process id. `listen` is an address with its port. */
export function nginxConfiguration(listen: string, root: string, temporary: string): string {
  return `daemon off;
master_process off;
worker_processes 1;
pid ${temporary}/nginx.pid;
error_log ${temporary}/error.log;
events { worker_connections 64; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  default_type application/octet-stream;
  client_body_temp_path ${temporary}/body;
  proxy_temp_path ${temporary}/proxy;
  fastcgi_temp_path ${temporary}/fastcgi;
  uwsgi_temp_path ${temporary}/uwsgi;
  scgi_temp_path ${temporary}/scgi;
  server { listen ${listen}; root "${root}"; }
}
`;
}
