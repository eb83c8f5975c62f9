import { describe, expect, test } from "bun:test";
import { encodeReport, type Report, type ReportAnswer } from "../../src/core/exchange/report-message.ts";
import { addressKey, type PeerAddress } from "../../src/core/format/peer-address.ts";
import { infoHashOf } from "../../src/core/torrent/ids.ts";
import { REPORT_SOURCE_BURST, REPORT_SOURCE_RATE } from "../../src/discovery/limits.ts";
import { ReportChannel } from "../../src/discovery/report-channel.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";

const SEED: PeerAddress = { host: "10.0.0.1", port: 42_070 };
const HOST: PeerAddress = { host: "10.0.0.2", port: 42_071 };
const report: Report = {
  infoHash: infoHashOf(new Uint8Array(20)),
  destination: "00".repeat(8),
  state: "done",
  progress: 1000,
  failure: 0,
  text: "",
};

/** A seed that collects and a host that reports, on one network. */
function network() {
  const clock = new VirtualClock();
  const nodeId = () => new Uint8Array(20);
  const sent: { readonly from: string; readonly length: number }[] = [];
  const channels = new Map<string, ReportChannel>();
  const open = (own: PeerAddress) => {
    const channel = new ReportChannel({
      clock,
      nodeId,
      send: (datagram, to) => {
        sent.push({ from: addressKey(own), length: datagram.length });
        channels.get(addressKey(to))?.takes(datagram, own);
      },
    });
    channels.set(addressKey(own), channel);
    return channel;
  };
  const seed = open(SEED);
  const taken: string[] = [];
  seed.onReport((_, host, hasProof) => {
    if (hasProof) taken.push(host);
    return 3;
  });
  return { clock, seed, host: open(HOST), taken, sent };
}

describe("ReportChannel", () => {
  test("a first report gets a token alone; with it the next is taken in", () => {
    const { host, taken } = network();
    const answers: ReportAnswer[] = [];
    host.send(report, SEED, (answer) => answers.push(answer));
    expect([taken, answers.map(({ needy }) => needy)]).toEqual([[], [undefined]]);
    host.send(report, SEED, (answer) => answers.push(answer));
    expect([taken, answers.map(({ needy }) => needy)]).toEqual([[HOST.host], [undefined, 3]]);
  });

  test("D12: no answer is longer than what it answers", () => {
    const { host, sent } = network();
    for (let i = 0; i < 5; i++) host.send(report, SEED, () => {});
    const lengths = (of: PeerAddress) =>
      sent.filter(({ from }) => from === addressKey(of)).map(({ length }) => length);
    expect(lengths(SEED)).toHaveLength(5);
    for (const [i, length] of lengths(SEED).entries()) expect(length).toBeLessThanOrEqual(lengths(HOST)[i]!);
  });

  test("D12: a token is worth nothing from another address, and one that is made up nothing at all", () => {
    const { clock, seed, taken } = network();
    for (const token of [undefined, clock.randomBytes(8), new Uint8Array(8)]) {
      const datagram = encodeReport({ transaction: clock.randomBytes(8), report, token }, new Uint8Array(20));
      expect(seed.takes(datagram, { host: "10.0.0.9", port: 1 })).toBe(true);
    }
    expect(taken).toEqual([]);
  });

  test("D12: one address is read at a bounded rate, whatever its ports, and others are read beside it", () => {
    const { clock, seed, sent } = network();
    const flood = (host: string) => {
      const datagram = encodeReport(
        { transaction: clock.randomBytes(8), report, token: undefined },
        new Uint8Array(20),
      );
      for (let port = 1; port <= 2 * REPORT_SOURCE_BURST; port++) seed.takes(datagram, { host, port });
    };
    flood("10.0.0.9");
    expect(sent).toHaveLength(REPORT_SOURCE_BURST);
    flood("10.0.0.8");
    expect(sent).toHaveLength(2 * REPORT_SOURCE_BURST);
    void clock.pass(1000);
    flood("10.0.0.9");
    expect(sent).toHaveLength(2 * REPORT_SOURCE_BURST + REPORT_SOURCE_RATE);
  });

  test("an answer counts once, and only from the address that was asked", () => {
    const { clock, host } = network();
    let answers = 0;
    const datagrams: Uint8Array[] = [];
    const asking = new ReportChannel({
      clock,
      nodeId: () => new Uint8Array(20),
      send: (bytes) => datagrams.push(bytes),
    });
    asking.send(report, SEED, () => answers++);
    const replies: Uint8Array[] = [];
    const answering = new ReportChannel({
      clock,
      nodeId: () => new Uint8Array(20),
      send: (bytes) => replies.push(bytes),
    });
    answering.onReport(() => 0);
    answering.takes(datagrams[0]!, HOST);
    expect(asking.takes(replies[0]!, HOST)).toBe(false);
    expect(asking.takes(replies[0]!, SEED)).toBe(true);
    expect(asking.takes(replies[0]!, SEED)).toBe(false);
    expect(host.takes(replies[0]!, SEED)).toBe(false);
    expect(answers).toBe(1);
  });

  test("a process that does not collect answers nothing", () => {
    const { host, sent, clock } = network();
    const datagram = encodeReport(
      { transaction: clock.randomBytes(8), report, token: undefined },
      new Uint8Array(20),
    );
    expect(host.takes(datagram, SEED)).toBe(true);
    expect(sent).toEqual([]);
  });
});
