import { describe, expect, test } from "bun:test";
import { FlushTurn } from "../../../src/session/peer/flush-turn.ts";

class Connection {
  flushes = 0;
  onFlush: () => void = () => {};

  flush(): void {
    this.flushes++;
    this.onFlush();
  }
}

/** Resolves when what was asked for with setImmediate until now is done. */
const turnEnd = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("FlushTurn", () => {
  test("flushes each marked connection once, after the turn and not within it", async () => {
    const turn = new FlushTurn();
    const [one, two, idle] = [new Connection(), new Connection(), new Connection()];
    for (const connection of [one, two, one, one]) turn.mark(connection);
    expect([one.flushes, two.flushes]).toEqual([0, 0]);
    // Other events of the same turn may add to it.
    await Promise.resolve();
    turn.mark(two);
    expect([one.flushes, two.flushes]).toEqual([0, 0]);
    await turnEnd();
    expect([one.flushes, two.flushes, idle.flushes]).toEqual([1, 1, 0]);
  });

  test("a later turn flushes again", async () => {
    const turn = new FlushTurn();
    const connection = new Connection();
    for (let i = 1; i <= 3; i++) {
      turn.mark(connection);
      await turnEnd();
      expect(connection.flushes).toBe(i);
    }
  });

  test("what a flush marks is flushed in a turn of its own, without end or loss", async () => {
    const turn = new FlushTurn();
    const [one, two] = [new Connection(), new Connection()];
    one.onFlush = () => {
      if (one.flushes === 1) for (const connection of [one, two]) turn.mark(connection);
    };
    turn.mark(one);
    await turnEnd();
    await turnEnd();
    expect([one.flushes, two.flushes]).toEqual([2, 1]);
  });
});
