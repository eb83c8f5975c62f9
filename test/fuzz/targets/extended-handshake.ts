// The extension handshake of a peer (BEP 10): every field of the result is within its range.
import { printable } from "../../../src/core/format/file-name.ts";
import {
  type ExtendedHandshake,
  parseExtendedHandshake,
} from "../../../src/core/format/extended-handshake.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import {
  MAX_CLIENT_NAME_LENGTH,
  MAX_HANDSHAKE_ITEMS,
  MAX_METADATA_LENGTH,
  MAX_PEER_REQUEST_QUEUE,
} from "../../../src/core/format/limits.ts";
import { MAX_EXTENDED_FRAME_LENGTH } from "../../../src/wire/limits.ts";
import { defineTarget, promise } from "../engine/target.ts";

type Parse = typeof parseExtendedHandshake;

function check(parse: Parse, input: Uint8Array): string {
  const handshake = parse(input);
  if (handshake === undefined) return "bad";
  const { extensions, metadataSize, listenPort, requestQueue, requestLength, client } = handshake;
  // A name and its id are two items.
  promise(extensions.size <= MAX_HANDSHAKE_ITEMS / 2, `${extensions.size} extensions`);
  for (const [name, id] of extensions) promise(isWithin(id, 0, 255), `"${name}" has the id ${id}`);
  promise(isWithin(metadataSize ?? 1, 1, MAX_METADATA_LENGTH), `metadata of ${metadataSize} bytes`);
  promise(isWithin(listenPort ?? 1, 1, 65535), `port ${listenPort}`);
  promise(isWithin(requestQueue ?? 1, 1, MAX_PEER_REQUEST_QUEUE), `a queue of ${requestQueue} requests`);
  promise(
    isWithin(requestLength ?? BLOCK_LENGTH, BLOCK_LENGTH, MAX_REQUEST_LENGTH),
    `requests of ${requestLength}`,
  );
  promise((requestLength ?? 0) % BLOCK_LENGTH === 0, `requests of ${requestLength} bytes`);
  promise(typeof handshake.uploadOnly === "boolean", "upload_only is yes or no");
  promise(client === undefined || client === printable(client), "the client's name can be shown");
  promise((client?.length ?? 0) <= MAX_CLIENT_NAME_LENGTH, `a client's name of ${client?.length} characters`);
  return Object.keys(handshake).join();
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function planted(change: (handshake: ExtendedHandshake) => ExtendedHandshake): Parse {
  return (bytes) => {
    const handshake = parseExtendedHandshake(bytes);
    return handshake && change(handshake);
  };
}

export const extendedHandshakeTarget = defineTarget({
  name: "extended-handshake",
  runs: 10_000,
  maxLength: 2 * MAX_EXTENDED_FRAME_LENGTH,
  tokens: [
    "1:md6:ut_pexi1ee",
    "11:ut_metadatai3e",
    "13:metadata_sizei1e",
    "1:pi1e",
    "4:reqqi1e",
    "1:v1:a",
    "11:upload_onlyi1e",
    "17:pf_request_lengthi16384e",
    "i-1e",
    "i0e",
    "i256e",
    "4:\xf0\x9f\x98\x80",
    "1:\x1b",
    "de",
    "le",
  ],
  numbers: [
    255,
    65535,
    MAX_CLIENT_NAME_LENGTH,
    MAX_HANDSHAKE_ITEMS,
    MAX_METADATA_LENGTH,
    MAX_PEER_REQUEST_QUEUE,
    MAX_REQUEST_LENGTH,
    BLOCK_LENGTH,
    2 ** 32,
  ],
  subject: parseExtendedHandshake,
  check,
  accepts: (input) => parseExtendedHandshake(input) !== undefined,
  planted: {
    "a size is cut to 32 bits before it is compared": planted((handshake) =>
      handshake.metadataSize === undefined
        ? handshake
        : { ...handshake, metadataSize: handshake.metadataSize << 11 },
    ),
    "an id may be 256": planted((handshake) => ({
      ...handshake,
      extensions: new Map([...handshake.extensions].map(([name, id]) => [name, id === 255 ? 256 : id])),
    })),
    "a queue of none is believed": planted((handshake) =>
      handshake.requestQueue === 1 ? { ...handshake, requestQueue: 0 } : handshake,
    ),
    "a name that is no text throws": (bytes) => {
      const handshake = parseExtendedHandshake(bytes);
      if (handshake !== undefined && Buffer.from(bytes).includes("1:v") && handshake.client === undefined)
        throw new TypeError("no text");
      return handshake;
    },
  },
});
