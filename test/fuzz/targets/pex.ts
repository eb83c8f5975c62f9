// Peer exchange messages (BEP 11): the addresses that a peer can make us dial.
import { MAX_EXTENDED_FRAME_LENGTH } from "../../../src/wire/limits.ts";
import { MAX_PEX_ADDRESSES } from "../../../src/core/exchange/limits.ts";
import { addressKey, parseAddress } from "../../../src/core/format/peer-address.ts";
import { encodePex, parsePex } from "../../../src/core/exchange/pex.ts";
import { defineTarget, promise } from "../engine/target.ts";

type Parse = typeof parsePex;

function check(parse: Parse, input: Uint8Array): string {
  const message = parse(input);
  if (message === undefined) return "bad";
  const { added, dropped } = message;
  promise(added.length <= MAX_PEX_ADDRESSES, `${added.length} added`);
  promise(dropped.length <= MAX_PEX_ADDRESSES, `${dropped.length} dropped`);
  for (const address of [...added.map((peer) => peer.address), ...dropped]) {
    promise(parseAddress(addressKey(address)) !== undefined, `${addressKey(address)} is an address`);
  }
  promise(
    Bun.deepEquals(parsePex(encodePex(message)), message),
    "a written message parses to the same values",
  );
  const seeds = added.filter((peer) => peer.seed).length;
  return `${Math.min(2, added.length)} ${Math.min(2, dropped.length)} ${Math.min(2, seeds)}`;
}

export const pexTarget = defineTarget({
  name: "pex",
  runs: 10_000,
  maxLength: 2 * MAX_EXTENDED_FRAME_LENGTH,
  tokens: [
    "5:added6:\x7f\0\0\x01\x1a\xe1",
    "7:added.f1:\x02",
    "7:dropped6:\x7f\0\0\x02\x1a\xe1",
    "\x7f\0\0\x03\0\0",
    "5:addedi1e",
    "6:added618:",
  ],
  numbers: [MAX_PEX_ADDRESSES, 6 * MAX_PEX_ADDRESSES, 6],
  subject: parsePex,
  check,
  accepts: (input) => parsePex(input) !== undefined,
  planted: {
    "the cap on addresses is forgotten": (bytes) => {
      const message = parsePex(bytes);
      return message && message.added.length === MAX_PEX_ADDRESSES
        ? { ...message, added: [...message.added, ...message.added] }
        : message;
    },
    "an address without a port is kept": (bytes) => {
      const message = parsePex(bytes);
      if (message === undefined || message.dropped.length === 0) return message;
      const hasNone = Buffer.from(bytes).includes(Buffer.from([0x7f, 0, 0, 3, 0, 0]));
      return hasNone ? { ...message, dropped: [{ host: "127.0.0.3", port: 0 }] } : message;
    },
    "too few flags throw": (bytes) => {
      const message = parsePex(bytes);
      const flags = /7:added\.f(\d+):/.exec(Buffer.from(bytes).toString("latin1"))?.[1];
      if (message !== undefined && flags !== undefined && Number(flags) < message.added.length)
        throw new RangeError("flags");
      return message;
    },
  },
});
