// The whole DHT over real sockets on loopback: a flood of mutated datagrams from many ports neither stops the node nor makes
// it send anything illegal.
import { afterEach, expect, test } from "bun:test";
import { DATAGRAM_SOURCE_BURST } from "../../src/discovery/limits.ts";
import type { Logger } from "../../src/lib/logger.ts";
import { DhtNetwork, found, infoHash } from "../discovery/dht-network.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { corpusOf } from "./engine/corpus.ts";
import { mutate } from "./engine/mutate.ts";
import { datagramGuardTarget } from "./targets/datagram-guard.ts";

const SENDERS = 16;
const ROUNDS = Math.floor(DATAGRAM_SOURCE_BURST / 2);

const network = new DhtNetwork();
afterEach(() => network.close());

test(`${SENDERS * ROUNDS} mutated datagrams on loopback: the node survives, and no datagram makes the library throw`, async () => {
  const seed = Number(process.env["P2PFILE_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
  console.info(`DHT on loopback: P2PFILE_FUZZ_SEED=${seed}`);
  const random = seededRandom(seed);
  const logged: string[] = [];
  const logger: Logger = {
    debug: (message) => logged.push(message),
    info() {},
    warn: (message) => logged.push(message),
  };
  const node = await network.node("127.0.0.11", [], { logger });
  const target = { host: "127.0.0.11", port: node.port };
  const corpus = corpusOf(datagramGuardTarget.name, "all").map(({ input }) => input);
  const senders = await Promise.all(
    Array.from({ length: SENDERS }, async (_, index) => network.raw(`127.0.0.${100 + index}`)),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const sender of senders) {
      sender.send(mutate(random, { target: datagramGuardTarget, corpus, kept: [] }), target);
    }
    await Bun.sleep(1);
  }
  const reasons = new Set(
    logged.map((message) => /^dropped a datagram \((\w+)\)/.exec(message)?.[1] ?? message),
  );
  expect([...reasons].filter((reason) => reason.includes("failed") || reason === "handlerFailed")).toEqual(
    [],
  );
  // The datagrams arrived and passed the first checks.
  expect(reasons).toContain("notBencode");
  expect(reasons).toContain("badArguments");
  expect(senders.some((sender) => sender.received.length > 0)).toBe(true);
  // Other nodes are still served.
  const seeder = await network.node("127.0.0.12", [target]);
  await seeder.announce(infoHash, seeder.port);
  const joiner = await network.node("127.0.0.13", [target]);
  expect(await found(joiner)).toContain(`127.0.0.12:${seeder.port}`);
});
