// The flags, each described once, as citty's argument definitions: `serve` and `download` take the shared ones and a few
// of their own. A default stands here alone, as the text a user would write; decode-options.ts reads it like any other.
import type { ArgsDef } from "citty";

export const sharedFlags = {
  config: {
    type: "string",
    valueHint: "FILE",
    description: "YAML file, its keys are the long flag names",
    default: "$HOME/.p2pfile.yaml",
  },
  ip: {
    type: "string",
    valueHint: "ADDR",
    description: "address to advertise and bind (Default: that of the default route)",
  },
  port: {
    type: "string",
    valueHint: "N",
    description: "TCP and UDP port (Default: random in the port range)",
  },
  "port-range": {
    type: "string",
    valueHint: "A-B",
    description: "ports to pick from",
    default: "42070-42099",
  },
  peers: {
    type: "string",
    valueHint: "A:P,B:P",
    description: "further seeds or nodes to start from (Default: none)",
  },
  "upload-limit": {
    type: "string",
    valueHint: "F",
    description: "MiB/s of the whole process, 0 for none",
    default: "0",
  },
  "download-limit": {
    type: "string",
    valueHint: "F",
    description: "MiB/s of the whole process, 0 for none",
    default: "0",
  },
  debug: { type: "boolean", description: "debug log on stderr (Default: off)" },
  json: { type: "boolean", description: "one JSON event per line on stdout (Default: off)" },
} as const satisfies ArgsDef;

export const serveFlags = {
  ...sharedFlags,
  magnet: {
    type: "string",
    valueHint: "URI",
    description: "seed again under this magnet and its port",
  },
  "until-done": {
    type: "string",
    valueHint: "N",
    description: "end when N hosts have downloaded every FILE (Default: never)",
  },
} as const satisfies ArgsDef;

export const downloadFlags = {
  dir: {
    type: "string",
    alias: "o",
    valueHint: "DIR",
    description: "where the file goes",
    default: ".",
  },
  seeding: {
    type: "boolean",
    description: "keep seeding after completion, until nobody needs data (Default: off)",
  },
  "seeding-time": {
    type: "string",
    valueHint: "S",
    description: "with --seeding: stop after S seconds at the latest",
    default: "60",
  },
  "seeding-ratio": {
    type: "string",
    valueHint: "R",
    description: "with --seeding: stop at this uploaded / size; 150% is 1.5",
    default: "1.0",
  },
  timeout: {
    type: "string",
    valueHint: "S",
    description: "give up after S seconds without a byte, 0 waits",
    default: "0",
  },
  ...sharedFlags,
} as const satisfies ArgsDef;

/** Of all commands; `--help` is everywhere and `--version` on its own. */
export const allFlags: Readonly<ArgsDef> = { ...serveFlags, ...downloadFlags };

/** The environment variable of a flag: "upload-limit" is P2PFILE_UPLOAD_LIMIT. */
export function variableName(flag: string): string {
  return `P2PFILE_${flag.toUpperCase().replaceAll("-", "_")}`;
}
