import { expect, test } from "bun:test";
import { destinationIdOf } from "../../../src/session/download/destination-id.ts";
import { MemoryStore } from "../../../src/storage/memory-store.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

test("a directory keeps its id, however it is given, and each has its own", () => {
  const parts = { store: new MemoryStore(), clock: new VirtualClock() };
  const id = destinationIdOf("a", "/data", parts);
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(destinationIdOf("/data/b/../a", "/elsewhere", parts)).toBe(id);
  expect(destinationIdOf("b", "/data", parts)).not.toBe(id);
});

test("an id in the state file that is none is replaced", () => {
  const parts = { store: new MemoryStore(), clock: new VirtualClock() };
  parts.store.rememberDestination("/data", "no hexadecimal digits");
  const id = destinationIdOf(".", "/data", parts);
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(parts.store.destinationId("/data")).toBe(id);
});
