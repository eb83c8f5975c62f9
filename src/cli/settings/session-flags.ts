// The flags that all sessions share, each described once, and how they are decoded. A default stands here alone, as the
// text a user would write.
import { UsageError } from "../../lib/errors.ts";
import type { SessionContext } from "../../session/context.ts";
import type { NodeOptions } from "../../session/options.ts";
import type { Flags } from "../command.ts";
import type { Environment } from "../environment.ts";
import { hostAddress, networkList, peerList, port, portRange } from "../values/addresses.ts";
import { rate } from "../values/numbers.ts";
import { onOff } from "../values/value-kind.ts";
import type { LayeredValues } from "./layered-values.ts";

export const sessionFlags = {
  config: {
    type: "string",
    valueHint: "FILE",
    description: "YAML file, keys are the long flag names",
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
    listOf: "addresses",
  },
  allow: {
    type: "string",
    valueHint: "CIDR",
    description: "network to treat as private, may be repeated (Default: none)",
    listOf: "networks",
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
} as const satisfies Flags;

/** How a session shows itself. */
export interface OutputOptions {
  readonly debug: boolean;
  readonly json: boolean;
  /** P2PFILE_IO. */
  readonly io: SessionContext["io"];
}

/** @throws UsageError for the first wrong value, naming where it stands. */
export function decodeNode(values: LayeredValues): NodeOptions {
  return {
    ip: values.optional("ip", hostAddress),
    port: values.optional("port", port),
    portRange: values.required("port-range", portRange),
    peers: values.optional("peers", peerList) ?? [],
    allow: values.optional("allow", networkList) ?? [],
    uploadLimit: values.required("upload-limit", rate),
    downloadLimit: values.required("download-limit", rate),
  };
}

/** @throws UsageError for the first wrong value, naming where it stands. */
export function decodeOutput(values: LayeredValues, environment: Environment): OutputOptions {
  const io = environment.variables["P2PFILE_IO"] ?? "";
  if (io !== "" && io !== "map" && io !== "pread") {
    throw new UsageError(`P2PFILE_IO: '${io}' is not 'map' or 'pread'`);
  }
  return {
    debug: values.optional("debug", onOff) ?? false,
    json: values.optional("json", onOff) ?? false,
    io: io === "pread" ? "pread" : "map",
  };
}
