// The hand-written types of src/types against the real packages: every member they declare exists, so that an upgrade
// cannot drift away from them silently.
/* oxlint-disable no-underscore-dangle -- the library marks its inner members so */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import Wire from "bittorrent-protocol";
import utMetadata from "ut_metadata";

/** The members of `thing` (or of its prototypes) among `names` that are missing. */
function missing(thing: object, names: readonly string[]): string[] {
  return names.filter((name) => !(name in thing));
}

function firstLine(name: string): string {
  return readFileSync(new URL(`../src/types/${name}.d.ts`, import.meta.url), "utf8").split("\n")[0] ?? "";
}

function installed(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

for (const name of ["bittorrent-protocol", "ut_metadata"]) {
  test(`src/types/${name}.d.ts was written for the installed version`, () => {
    expect(firstLine(name)).toStartWith(`// ${name} ${installed(name)}`);
  });
}

test("bittorrent-protocol has every member the types declare", () => {
  const wire = new Wire("tcpOutgoing");
  const state = [
    "amChoking",
    "amInterested",
    "peerChoking",
    "peerInterested",
    "hasFast",
    "peerAllowedFastSet",
  ];
  const extensions = ["peerExtensions", "peerExtendedMapping", "extendedHandshake", "_finished"];
  const control = ["on", "use", "handshake", "destroy", "end", "extended", "keepAlive", "port"];
  const messages = ["choke", "unchoke", "interested", "uninterested", "have", "bitfield"];
  const fast = ["haveAll", "haveNone", "suggest", "allowedFast", "reject"];
  const inner = ["_push", "_debug", "_onHandshakeBuffer", "_onMessage", "_sendExtendedHandshake"];
  const all = [...state, ...extensions, ...control, ...messages, ...fast, ...inner];
  expect(missing(wire, all)).toEqual([]);
  wire.on("extended", () => {});
  wire._onHandshakeBuffer(
    Buffer.concat([
      Buffer.from("BitTorrent protocol"),
      Buffer.from("0000000000100005", "hex"),
      Buffer.alloc(40),
    ]),
  );
  wire.handshake("00".repeat(20), "00".repeat(20), { dht: true, fast: true });
  expect(missing(wire, ["_extendedHandshakeSent"])).toEqual([]);
  expect(wire.hasFast).toBe(true);
});

test("ut_metadata has every member the types declare", () => {
  const metadata = Buffer.from("de");
  const Extension = utMetadata(metadata);
  const extension = new Extension({ extendedHandshake: {}, extended() {} });
  expect(Extension.prototype.name).toBe("ut_metadata");
  const members = ["onExtendedHandshake", "onMessage", "fetch", "cancel", "setMetadata", "on", "metadata"];
  expect(missing(extension, members)).toEqual([]);
});

test("ut_metadata takes metadata at once, byte by byte, when it knows no info hash", () => {
  const metadata = Buffer.from("d1:ai1ee");
  const Extension = utMetadata(metadata);
  expect(new Extension({ extendedHandshake: {}, extended() {} }).metadata).toBe(metadata);
});
