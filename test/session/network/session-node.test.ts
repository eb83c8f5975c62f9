import { expect, test } from "bun:test";
import { infoHashOf } from "../../../src/core/torrent/ids.ts";
import { silentLogger } from "../../helpers/silent-logger.ts";
import { startSessionNode } from "../../../src/session/network/session-node.ts";
import { NODE_OPTIONS } from "../fixtures/fake-resources.ts";
import { handshakeBytes } from "../../wire/wire-end.ts";
import { until } from "../../helpers/event-loop.ts";
import { HOST } from "./node-fixture.ts";

test("a swarm that was joined takes part until the node is closed", async () => {
  const node = await startSessionNode({
    options: { ...NODE_OPTIONS, ip: HOST },
    keptPort: undefined,
    bootstrap: [],
    logger: silentLogger,
  });
  const sources: string[] = [];
  const swarm = node.join({
    infoHash: infoHashOf(new Uint8Array(20).fill(5)),
    infoDict: undefined,
    pinned: [],
    state: "leeching",
    destination: "00".repeat(8),
    hostsPerAddress: 1,
    onMetadata() {},
    onFirstPeer: (source) => sources.push(source),
  });
  let isClosed = false;
  const peer = await Bun.connect({
    hostname: node.address.host,
    port: node.address.port,
    socket: { data() {}, close: () => void (isClosed = true) },
  });
  const handshake = handshakeBytes().slice();
  handshake.fill(5, 28, 48);
  handshake.fill(1, 48, 68);
  peer.write(handshake);
  await until(() => swarm.peerCount === 1);
  expect([node.address.host, sources, node.uploadBucket.isUnlimited]).toEqual([HOST, ["incoming"], true]);
  await node.close();
  await until(() => isClosed);
});
