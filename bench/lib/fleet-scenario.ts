// What a fleet benchmark plays: how many hosts, how fast their links, when they start. Named ones, and flags that change
// them; and the floor that no program can beat.
import { MiB } from "../../src/lib/units.ts";
import { parseSize, sizeName } from "./size.ts";
import { rounded } from "./statistics.ts";

export interface FleetScenario {
  /** Of the preset, or "custom". */
  readonly name: string;
  /** Hosts that fetch; one more has the file. */
  readonly leeches: number;
  /** Bits per second, of every link, each way. */
  readonly rate: number;
  /** Bytes. */
  readonly size: number;
  /** Seconds from the start of one host to that of the next. */
  readonly stagger: number;
  /** The last `count` hosts have `factor` times the rate. */
  readonly slow: { readonly count: number; readonly factor: number };
  /** The last two hosts run other clients. */
  readonly otherClients: boolean;
}

const PLAIN = { stagger: 0, slow: { count: 0, factor: 1 }, otherClients: false } as const;
const MBIT = 1e6;

/** The bars that the project sets itself. */
export const PRESETS: Readonly<Record<string, Omit<FleetScenario, "name">>> = {
  a: { ...PLAIN, leeches: 10, rate: 200 * MBIT, size: 256 * MiB },
  b: { ...PLAIN, leeches: 10, rate: 100 * MBIT, size: 64 * MiB },
  c: { ...PLAIN, leeches: 24, rate: 50 * MBIT, size: 64 * MiB },
  d: { ...PLAIN, leeches: 24, rate: 50 * MBIT, size: 64 * MiB, stagger: 1 },
  e: { ...PLAIN, leeches: 10, rate: 100 * MBIT, size: 64 * MiB, slow: { count: 1, factor: 0.1 } },
  f: { ...PLAIN, leeches: 10, rate: 100 * MBIT, size: 64 * MiB, otherClients: true },
};

/** As they stand on the command line; undefined for what the preset decides. */
export interface ScenarioFlags {
  readonly leeches?: string | undefined;
  readonly rate?: string | undefined;
  readonly size?: string | undefined;
  readonly stagger?: string | undefined;
  readonly slow?: string | undefined;
}

/** @throws when a value makes no sense. */
export function scenarioOf(preset: string | undefined, flags: ScenarioFlags): FleetScenario {
  const base = PRESETS[preset ?? "b"];
  if (base === undefined)
    throw new Error(`${preset}: is none of the presets ${Object.keys(PRESETS).join(", ")}`);
  const { leeches, rate, size, stagger, slow } = flags;
  const changed = [leeches, rate, size, stagger, slow].some((flag) => flag !== undefined);
  const scenario: FleetScenario = {
    ...base,
    name: preset === undefined || changed ? "custom" : preset,
    ...(leeches === undefined ? {} : { leeches: numberOf("--leeches", leeches, 1) }),
    ...(rate === undefined ? {} : { rate: parseRate(rate) }),
    ...(size === undefined ? {} : { size: parseSize(size) }),
    ...(stagger === undefined ? {} : { stagger: numberOf("--stagger", stagger, 0) }),
    ...(slow === undefined ? {} : { slow: parseSlow(slow) }),
  };
  if (!Number.isInteger(scenario.leeches)) throw new Error("--leeches wants a whole number");
  if (scenario.slow.count > scenario.leeches) throw new Error("--slow names more hosts than there are");
  if (scenario.otherClients && scenario.leeches < 3) throw new Error("preset f wants at least 3 leeches");
  return scenario;
}

function numberOf(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (text === "" || !(value >= least)) throw new Error(`${flag} ${text}: is not a number from ${least}`);
  return value;
}

/** `200mbit` or `1gbit`, as tc(8) writes it. */
function parseRate(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)([mg])bit$/i.exec(text) ?? [];
  const rate = Number(number) * (unit.toLowerCase() === "g" ? 1e9 : MBIT);
  if (!(rate > 0)) throw new Error(`--rate ${text}: give for example 200mbit or 1gbit`);
  return rate;
}

function parseSlow(text: string): FleetScenario["slow"] {
  const [, count = "", factor = ""] = /^(\d+):(0?\.\d+|1)$/.exec(text) ?? [];
  if (!(Number(factor) > 0)) throw new Error(`--slow ${text}: give HOSTS:FACTOR, for example 1:0.1`);
  return { count: Number(count), factor: Number(factor) };
}

/** The host with this index; 0 is the seed, which is never slow. */
export function isSlow({ leeches, slow }: FleetScenario, index: number): boolean {
  return slow.factor < 1 && index > leeches - slow.count;
}

/** Bits per second. */
export function rateOf(scenario: FleetScenario, index: number): number {
  return scenario.rate * (isSlow(scenario, index) ? scenario.slow.factor : 1);
}

/** Seconds after the first host. */
export function startOf({ stagger }: FleetScenario, index: number): number {
  return (index - 1) * stagger;
}

/** Seconds that the payload alone takes through the link of a host: headers make 1.046 times that. */
export function hostFloor(scenario: FleetScenario, index: number): number {
  return (scenario.size * 8) / rateOf(scenario, index);
}

/** Seconds from the start of the first host, before which the last of them cannot be done. */
export function fleetFloor(scenario: FleetScenario, indices = leechIndices(scenario)): number {
  const ends = indices.map((index) => startOf(scenario, index) + hostFloor(scenario, index));
  return rounded(Math.max(...ends), 3);
}

export function leechIndices({ leeches }: FleetScenario): number[] {
  return Array.from({ length: leeches }, (_, i) => i + 1);
}

/** Seconds that a run may take: what one server needs to send to all, twice. */
export function timeLimit(scenario: FleetScenario): number {
  const serverAlone = (scenario.leeches * scenario.size * 8) / scenario.rate;
  return 30 + startOf(scenario, scenario.leeches) + 2 * Math.max(serverAlone, fleetFloor(scenario));
}

export function describeScenario(scenario: FleetScenario): string {
  const { leeches, size, rate, stagger, slow, otherClients } = scenario;
  const slowOnes = `${slow.count} of them at ${rateName(rate * slow.factor)}`;
  return [
    `${sizeName(size)} to ${leeches} hosts`,
    `${rateName(rate)} each way`,
    stagger === 0 ? "started together" : `started ${stagger} s apart`,
    ...(slow.count > 0 && slow.factor < 1 ? [slowOnes] : []),
    ...(otherClients ? ["where there are other clients one is libtorrent and one aria2"] : []),
  ].join(", ");
}

export function rateName(rate: number): string {
  return rate >= 1e9 ? `${rounded(rate / 1e9, 2)} Gbit/s` : `${rounded(rate / MBIT, 2)} Mbit/s`;
}
