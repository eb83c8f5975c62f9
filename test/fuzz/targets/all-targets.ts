// All fuzz targets: each parser of bytes from outside.
import type { Target } from "../engine/target.ts";
import { bencodeTarget } from "./bencode.ts";
import { commandLineTarget } from "./command-line.ts";
import { configFileTarget } from "./config-file.ts";
import { datagramEnvelopeTarget } from "./datagram-envelope.ts";
import { datagramGuardTarget } from "./datagram-guard.ts";
import { dhtTarget } from "./dht.ts";
import { extendedHandshakeTarget } from "./extended-handshake.ts";
import { frameReaderTarget } from "./frame-reader.ts";
import { magnetTarget } from "./magnet.ts";
import { metadataExchangeTarget } from "./metadata-exchange.ts";
import { metainfoTarget } from "./metainfo.ts";
import { peerWireTarget } from "./peer-wire.ts";
import { pexTarget } from "./pex.ts";
import { resumeTarget } from "./resume.ts";
import { storeTarget } from "./store.ts";

export const allTargets: readonly Target[] = [
  bencodeTarget,
  magnetTarget,
  metainfoTarget,
  frameReaderTarget,
  peerWireTarget,
  extendedHandshakeTarget,
  metadataExchangeTarget,
  pexTarget,
  datagramEnvelopeTarget,
  datagramGuardTarget,
  dhtTarget,
  resumeTarget,
  storeTarget,
  configFileTarget,
  commandLineTarget,
];
