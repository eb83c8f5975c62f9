// The words of a command line: the strict parser of flags, and every kind of value. An input's words are separated by NUL,
// which no argument can contain.
import { downloadCommand } from "../../../src/cli/commands/download.ts";
import { serveCommand } from "../../../src/cli/commands/serve.ts";
import { checkArguments } from "../../../src/cli/strict-arguments.ts";
import { hostAddress, peerList, port, portRange } from "../../../src/cli/values/addresses.ts";
import { rate, ratio, seconds } from "../../../src/cli/values/numbers.ts";
import type { ValueKind } from "../../../src/cli/values/value-kind.ts";
import { MAX_DURATION_SECONDS, MAX_FLAG_PEERS } from "../../../src/cli/limits.ts";
import { addressKey, parseAddress } from "../../../src/core/format/peer-address.ts";
import { UsageError } from "../../../src/lib/errors.ts";
import { defineTarget, promise } from "../engine/target.ts";
import { valueKinds } from "./value-kinds.ts";

interface Subject {
  readonly arguments: typeof checkArguments;
  readonly rate: ValueKind<number>;
  readonly peers: typeof peerList;
}

const subject: Subject = { arguments: checkArguments, rate, peers: peerList };
/** A number for which no more than this is lost by writing it in binary. */
const ROUNDING = 1e-12;

function check(tried: Subject, input: Uint8Array): string {
  const text = new TextDecoder().decode(input);
  const words = text.split("\0");
  const read = [serveCommand, downloadCommand].map((command) => {
    try {
      const { rawArgs, given } = tried.arguments(words, command, []);
      const again = tried.arguments(rawArgs, command, []);
      promise(Bun.deepEquals(again.rawArgs, rawArgs), "what is understood reads the same again");
      promise(Bun.deepEquals([...again.given], [...given]), "the same flags are given");
      return `good ${[...given].sort().join()}`;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return `bad ${error.message.replaceAll(/[^ ]*:|'.*'/gs, "").slice(0, 30)}`;
    }
  });
  const kinds = new Set<number>();
  for (const word of words.slice(0, 8)) {
    for (const [index, kind] of valueKinds.entries()) {
      if (kind.read(word) !== undefined) kinds.add(index);
      else promise(typeof (kind.culprit?.(word) ?? "") === "string", "the culprit is a text");
    }
    checkNumbers(tried, word);
    checkAddresses(tried, word);
  }
  return `${read.join("; ")}; ${[...kinds].sort().join()}`;
}

function checkNumbers(tried: Subject, word: string): void {
  const digits = /^(?:\d+(?:\.\d*)?|\.\d+)$/.test(word);
  const bytes = tried.rate.read(word);
  promise(
    bytes === undefined || (digits && Number.isSafeInteger(bytes) && bytes >= 0),
    `"${word}" is ${bytes} B/s`,
  );
  if (bytes !== undefined) {
    const exact = Number(word) * 1024 * 1024;
    promise((bytes === 0) === !/[1-9]/.test(word), `"${word}" is unlimited`);
    promise(
      bytes >= exact * (1 - ROUNDING) && bytes <= exact * (1 + ROUNDING) + 1,
      `"${word}" is ${bytes} B/s`,
    );
  }
  const time = seconds.read(word);
  promise(
    time === undefined || (digits && time >= 0 && time <= MAX_DURATION_SECONDS),
    `"${word}" is ${time} s`,
  );
  const share = ratio.read(word);
  promise(share === undefined || (Number.isFinite(share) && share >= 0), `"${word}" is a ratio of ${share}`);
}

function checkAddresses(tried: Subject, word: string): void {
  const number = port.read(word);
  promise(
    number === undefined || (/^\d{1,5}$/.test(word) && number >= 1 && number <= 65535),
    `port ${number}`,
  );
  const range = portRange.read(word);
  promise(
    range === undefined || (range.first >= 1 && range.first <= range.last && range.last <= 65535),
    `"${word}"`,
  );
  const host = hostAddress.read(word);
  promise(host === undefined || parseAddress(`${word}:1`) !== undefined, `"${word}" is an address`);
  const peers = tried.peers.read(word) ?? [];
  promise(peers.length <= MAX_FLAG_PEERS, `${peers.length} peers`);
  for (const peer of peers) promise(word.includes(addressKey(peer)), `${addressKey(peer)} was given`);
  promise(new Set(peers.map(addressKey)).size === peers.length, "each peer once");
}

export const commandLineTarget = defineTarget({
  name: "command-line",
  runs: 6_000,
  maxLength: 16 * 1024,
  tokens: [
    "\0",
    "\0--\0",
    "\0--port=",
    "\0-o",
    "\0--no-seeding",
    "\0--peers\0",
    "10.0.0.1:1",
    "0.5",
    "1e3",
    "0x10",
    "150%",
    "--upload",
    "-",
    "=",
    ",",
    "Infinity",
    "NaN",
    ".",
    "00",
    "\xd9\xa1",
  ],
  numbers: [65535, MAX_DURATION_SECONDS, MAX_FLAG_PEERS, Number.MAX_SAFE_INTEGER],
  subject,
  check,
  accepts: (input) => /^good/m.test(check(subject, input).replaceAll("; ", "\n")),
  planted: {
    "a rate below 1 MiB/s becomes no limit": {
      ...subject,
      rate: {
        ...rate,
        read: (text) => {
          const value = rate.read(text);
          return value === undefined || value >= 1024 * 1024 ? value : 0;
        },
      },
    },
    "an exponent is a rate": {
      ...subject,
      rate: {
        ...rate,
        read: (text) => rate.read(text) ?? (/^\d+e\d$/.test(text) ? Number(text) : undefined),
      },
    },
    "the cap on peers is forgotten": {
      ...subject,
      peers: {
        ...peerList,
        read: (text) => {
          const kept = text.split(",").filter((part) => peerList.read(part) !== undefined);
          return (
            peerList.read(text) ??
            (kept.length > MAX_FLAG_PEERS ? kept.flatMap((part) => peerList.read(part) ?? []) : undefined)
          );
        },
      },
    },
    "a lone dash throws": {
      ...subject,
      arguments: (words, command, commands) => {
        if (words.includes("-")) throw new TypeError("flag");
        return checkArguments(words, command, commands);
      },
    },
  },
});
