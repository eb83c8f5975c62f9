import { describe, expect, test } from "bun:test";
import { MAX_PENDING_QUERIES } from "../../src/discovery/limits.ts";
import { PendingQueries } from "../../src/discovery/pending-queries.ts";

describe("PendingQueries", () => {
  const to = { host: "10.0.0.1", port: 1 };
  const query = (id: string) =>
    Buffer.from(`d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:${id}1:y1:qe`, "latin1");

  test("a query is settled once, by its address and port alone", () => {
    const pending = new PendingQueries();
    pending.sent(query("\n\xff"), to);
    const id = Uint8Array.of(10, 255);
    expect(pending.settle(id, { host: "10.0.0.1", port: 2 })).toBe(false);
    expect(pending.settle(id, { host: "10.0.0.2", port: 1 })).toBe(false);
    expect(pending.settle(Uint8Array.of(10, 254), to)).toBe(false);
    expect(pending.settle(id, to)).toBe(true);
    expect(pending.settle(id, to)).toBe(false);
  });

  test("replies of ours are not taken for queries", () => {
    const pending = new PendingQueries();
    pending.sent(Buffer.from("d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t2:aa1:y1:re"), to);
    expect(pending.size).toBe(0);
  });

  test("the table is bounded and drops the oldest", () => {
    const pending = new PendingQueries();
    for (let i = 0; i < 2 * MAX_PENDING_QUERIES; i++)
      pending.sent(query(String.fromCharCode(i >> 8, i & 255)), to);
    expect(pending.size).toBe(MAX_PENDING_QUERIES);
    expect(pending.settle(Uint8Array.of(0, 0), to)).toBe(false);
  });
});
