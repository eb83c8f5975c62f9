// Every kind of value that a flag, a variable or the configuration file can have.
import { hostAddress, peerList } from "../../../src/cli/values/addresses.ts";
import { port, portRange } from "../../../src/cli/values/port.ts";
import { rate } from "../../../src/cli/values/rate.ts";
import { ratio } from "../../../src/cli/values/ratio.ts";
import { seconds } from "../../../src/cli/values/seconds.ts";
import { onOff } from "../../../src/cli/values/switch.ts";
import { directory, magnet } from "../../../src/cli/values/text.ts";
import type { ValueKind } from "../../../src/cli/values/value-kind.ts";

export const valueKinds: readonly ValueKind<unknown>[] = [
  hostAddress,
  peerList,
  port,
  portRange,
  rate,
  ratio,
  seconds,
  onOff,
  directory,
  magnet,
];
