// Every kind of value that a flag, a variable or the configuration file can have.
import { hostAddress, peerList, port, portRange } from "../../../src/cli/values/addresses.ts";
import { rate, ratio, seconds } from "../../../src/cli/values/numbers.ts";
import { directory, magnet, onOff, type ValueKind } from "../../../src/cli/values/value-kind.ts";

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
