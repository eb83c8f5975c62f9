import { describe, expect, test } from "bun:test";
import {
  ADDRESS_SOURCES,
  type AddressSource,
  countBySource,
  isPinnedSource,
} from "../../../src/core/swarm/address-source.ts";

describe("Sources of addresses", () => {
  test("have the names of --json", () => {
    expect(ADDRESS_SOURCES).toEqual(["magnet", "flag", "dht", "pex", "exchange", "incoming"]);
  });

  test("are pinned where the user named the address, and nowhere else", () => {
    expect(ADDRESS_SOURCES.filter(isPinnedSource)).toEqual(["magnet", "flag"]);
  });

  test("are counted each, with a 0 for those that are absent", () => {
    const sources: AddressSource[] = ["dht", "incoming", "dht", "flag"];
    expect(countBySource(sources)).toEqual({ magnet: 0, flag: 1, dht: 2, pex: 0, exchange: 0, incoming: 1 });
  });
});
