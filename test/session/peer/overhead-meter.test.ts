import { describe, expect, test } from "bun:test";
import { OverheadMeter } from "../../../src/session/peer/overhead-meter.ts";
import { MAX_BLOCK_FRAME_LENGTH } from "../../../src/wire/limits.ts";

const BLOCK = 16_384;
const HEADER = 13;

describe("OverheadMeter", () => {
  test("takes what was sent beside blocks and their headers, once", () => {
    const meter = new OverheadMeter();
    expect(meter.takeSent(68)).toBe(68);
    meter.blockSent(BLOCK);
    expect(meter.takeSent(68 + BLOCK + HEADER)).toBe(0);
    expect(meter.takeSent(68 + BLOCK + HEADER + 5)).toBe(5);
    expect(meter.takeSent(68 + BLOCK + HEADER + 5)).toBe(0);
  });

  test("gives nothing back for blocks that the queue dropped", () => {
    const meter = new OverheadMeter();
    meter.blockSent(BLOCK);
    expect([meter.takeSent(0), meter.takeSent(BLOCK + HEADER)]).toEqual([0, 0]);
  });

  test("takes what was received beside blocks, once it cannot be the part of one", () => {
    const meter = new OverheadMeter();
    meter.received(MAX_BLOCK_FRAME_LENGTH);
    expect(meter.takeReceived()).toBe(0);
    meter.received(30);
    expect([meter.takeReceived(), meter.takeReceived()]).toEqual([30, 0]);
    meter.received(BLOCK);
    meter.blockReceived(BLOCK);
    expect(meter.takeReceived()).toBe(0);
  });
});
