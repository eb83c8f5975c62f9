// Magnet URIs, pasted or forged.
import { printable } from "../../../src/core/format/file-name.ts";
import { MAX_MAGNET_LENGTH, MAX_MAGNET_PEERS } from "../../../src/core/format/limits.ts";
import { formatMagnet, type Magnet, parseMagnet } from "../../../src/core/format/magnet.ts";
import { addressKey, parseAddress } from "../../../src/core/format/peer-address.ts";
import { defineTarget, promise } from "../engine/target.ts";

interface Subject {
  readonly parse: typeof parseMagnet;
  readonly format: typeof formatMagnet;
}

const subject: Subject = { parse: parseMagnet, format: formatMagnet };

function check({ parse, format }: Subject, input: Uint8Array): string {
  const text = new TextDecoder().decode(input);
  const magnet = parse(text);
  promise("error" in magnet || text.length <= MAX_MAGNET_LENGTH, "a magnet of any length is taken");
  if ("error" in magnet) {
    promise(magnet.error === printable(magnet.error), "an error is one printable line");
    return `bad: ${magnet.error.slice(0, 40).replaceAll(/\d+/g, "")}`;
  }
  checkParts(magnet);
  const written = format(magnet);
  // No character with a meaning in a shell, a page or a log.
  promise(/^magnet:\?[\w:=&.%~-]+$/.test(written), "a magnet is written in harmless characters");
  // Escapes may lengthen a name beyond the limit of the parser.
  if (written.length <= MAX_MAGNET_LENGTH) {
    const { ignored: _, ...kept } = magnet;
    const { ignored, ...again } = withoutError(parse(written));
    promise(Bun.deepEquals(kept, again), "a written magnet parses to the same values");
    promise(ignored.length === 0, "what is written is understood in full");
    promise(format(again) === written, "a magnet is written in one way");
  }
  const size = (count: number) => (count > 9 ? "many" : count);
  return `good: ${magnet.name === undefined ? "" : "name"} ${size(magnet.peers.length)} ${size(magnet.ignored.length)}`;
}

function checkParts({ infoHash, name, peers, ignored }: Magnet): void {
  promise(/^[0-9a-f]{40}$/.test(infoHash), "an info hash has 40 lower-case digits");
  promise(name !== "", "an empty name is none");
  promise(peers.length <= MAX_MAGNET_PEERS, "no more peers than allowed");
  const keys = new Set(peers.map(addressKey));
  promise(keys.size === peers.length, "each peer once");
  for (const key of keys) promise(parseAddress(key) !== undefined, `${key} is an address`);
  for (const entry of ignored) promise(entry === printable(entry), "what is ignored can be shown");
}

function withoutError(magnet: Magnet | { readonly error: string }): Magnet {
  if ("error" in magnet) throw new Error(`what is written is not read: ${magnet.error}`);
  return magnet;
}

export const magnetTarget = defineTarget({
  name: "magnet",
  runs: 15_000,
  maxLength: 2 * MAX_MAGNET_LENGTH,
  tokens: [
    "magnet:?",
    "&xt=urn:btih:",
    "urn:btmh:1220",
    "&x.pe=",
    "&x.pe.1=",
    "&dn=",
    "&",
    "%",
    "%00",
    "%2B",
    "+",
    "%E2%80%AE",
    "%EF%BB%BF",
    "10.1.2.3:4000",
    ",",
    "::1",
    "\x1b[2J",
    "\n",
    "\xc3\xa4",
    "'",
    ":0",
    ":65536",
  ],
  numbers: [MAX_MAGNET_LENGTH, MAX_MAGNET_PEERS, 65535],
  subject,
  check,
  accepts: (input) => !("error" in parseMagnet(new TextDecoder().decode(input))),
  planted: {
    "a bad escape throws": {
      ...subject,
      parse: (text) => {
        const magnet = parseMagnet(text);
        if ("error" in magnet && magnet.error.includes("escape")) decodeURIComponent("%");
        return magnet;
      },
    },
    "the cap on peers is one off": {
      ...subject,
      parse: (text) => {
        const magnet = parseMagnet(text);
        const extra = { host: "10.255.255.255", port: 1 };
        return "peers" in magnet && magnet.peers.length === MAX_MAGNET_PEERS
          ? { ...magnet, peers: [...magnet.peers, extra] }
          : magnet;
      },
    },
    "quotes are written as they are": {
      ...subject,
      format: (magnet) => formatMagnet(magnet).replaceAll("%27", "'"),
    },
    "a plus sign comes back as a space": {
      ...subject,
      format: (magnet) => formatMagnet(magnet).replaceAll("%2B", "+"),
    },
    "an ignored entry is shown raw": {
      ...subject,
      parse: (text) => {
        const magnet = parseMagnet(text);
        if ("error" in magnet) return magnet;
        return {
          ...magnet,
          ignored: magnet.ignored.map((entry) =>
            entry.replaceAll(/\\u\{([0-9a-f]+)\}/g, (_, code: string) =>
              String.fromCodePoint(parseInt(code, 16)),
            ),
          ),
        };
      },
    },
  },
});
