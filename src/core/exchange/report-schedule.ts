// To which nodes a receiver reports how far it is, and when. Pure: time and chance come in, the caller sends.
import { addressKey, type PeerAddress } from "../format/peer-address.ts";
import {
  FIRST_REPORT_SPREAD_MS,
  LAST_REPORT_MS,
  MAX_COLLECTORS,
  MAX_COLLECTOR_CANDIDATES,
  MAX_REPORT_INTERVAL_MS,
  MIN_REPORT_INTERVAL_MS,
  REPORT_RETRY_MS,
  REPORT_TRIES,
} from "./limits.ts";

interface Collector {
  readonly address: PeerAddress;
  /** The user named it: it has a place before all that peers say of themselves, and its word before theirs. */
  readonly isPinned: boolean;
  /** Connected, so that it is told over the connection as well. */
  isConnected: boolean;
  dueAt: number;
  /** Since the last answer. */
  unanswered: number;
  /** Of the last report that it took in; 0 for none. */
  takenVersion: number;
  takenAt: number;
  intervalMs: number;
  needy: number;
}

export type CollectorsWord = "needy" | "none" | "unknown";

export class ReportSchedule {
  readonly #random: () => number;
  /** Reported to, and those that wait for a place. */
  readonly #active = new Map<string, Collector>();
  readonly #waiting = new Map<string, Collector>();
  /** Counts the states of this host: the last one is to be taken in. */
  #version = 1;
  #changedAt = Number.NEGATIVE_INFINITY;

  /** `random`: uniform in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The nodes that get reports. */
  get collectors(): readonly PeerAddress[] {
    return Array.from(this.#active.values(), ({ address }) => address);
  }

  /** Of the state that a report sent now tells. */
  get version(): number {
    return this.#version;
  }

  /** It may collect reports: the user named it, or it says so over a connection. */
  add(
    address: PeerAddress,
    how: { readonly isPinned: boolean; readonly isConnected: boolean },
    now: number,
  ): void {
    const key = addressKey(address);
    const known = this.#active.get(key) ?? this.#waiting.get(key);
    if (known !== undefined) {
      known.isConnected ||= how.isConnected;
      return;
    }
    const dueAt =
      this.#changedAt > Number.NEGATIVE_INFINITY ? now : now + this.#random() * FIRST_REPORT_SPREAD_MS;
    const collector = {
      address,
      ...how,
      dueAt,
      unanswered: 0,
      takenVersion: 0,
      takenAt: 0,
      intervalMs: 0,
      needy: 0,
    };
    if (this.#active.size < MAX_COLLECTORS) this.#active.set(key, collector);
    else if (how.isPinned && this.#displaceOne()) this.#active.set(key, collector);
    else if (this.#waiting.size < MAX_COLLECTOR_CANDIDATES) this.#waiting.set(key, collector);
  }

  /** A connected peer there does not collect, or is gone. */
  remove(address: PeerAddress): void {
    const key = addressKey(address);
    this.#waiting.delete(key);
    if (this.#active.delete(key)) this.#fill();
  }

  disconnected(address: PeerAddress): void {
    const collector = this.#active.get(addressKey(address)) ?? this.#waiting.get(addressKey(address));
    if (collector !== undefined) collector.isConnected = false;
  }

  /** The state of this host has changed: every collector is told at once, and again until it answers. */
  stateChanged(now: number): void {
    this.#version++;
    this.#changedAt = now;
    for (const collector of this.#active.values()) {
      collector.dueAt = now;
      if (collector.takenVersion > 0) collector.unanswered = 0;
    }
  }

  /** The collectors to report to now; each counts as sent. */
  due(now: number): readonly PeerAddress[] {
    const due: PeerAddress[] = [];
    for (const collector of this.#active.values()) {
      if (now < collector.dueAt) continue;
      if (this.#isSilent(collector) && this.#waiting.size > 0) {
        this.#giveUp(collector);
        continue;
      }
      due.push(collector.address);
      collector.unanswered++;
      collector.dueAt = now + this.#retryMs(collector, now);
    }
    return due;
  }

  /** `needy`: undefined where it wants its token first; `version`: of the report that it answers. */
  answered(
    address: PeerAddress,
    answer: { readonly intervalMs: number; readonly needy: number | undefined },
    version: number,
    now: number,
  ): void {
    const collector = this.#active.get(addressKey(address));
    if (collector === undefined) return;
    if (answer.needy === undefined) {
      // Once at once, with the token; a node that never takes it in is asked no faster than a silent one.
      if (collector.unanswered <= 1) collector.dueAt = now;
      return;
    }
    collector.unanswered = 0;
    collector.takenVersion = Math.max(collector.takenVersion, version);
    collector.takenAt = now;
    collector.needy = answer.needy;
    // Each collector names its interval as if it were the only one.
    const wait = Math.max(answer.intervalMs, MIN_REPORT_INTERVAL_MS) * Math.max(1, this.#heard().length);
    collector.intervalMs = Math.min(wait, MAX_REPORT_INTERVAL_MS);
    if (collector.takenVersion === this.#version) collector.dueAt = now + collector.intervalMs;
  }

  /**
   * The last state has been taken in, or there is no more to be done for it: by every collector that has ever answered; if none has,
   * when each is told over its connection or has been asked in vain for as long as a report is repeated.
   */
  isSettled(now: number): boolean {
    if (this.isOver(now)) return true;
    const heard = this.#heard();
    if (heard.length > 0)
      return heard.every((one) => one.takenVersion === this.#version || this.#isTold(one));
    return [...this.#active.values()].every((one) => this.#isTold(one) || this.#isSilent(one));
  }

  /** A last state is not repeated for longer. */
  isOver(now: number): boolean {
    return now - this.#changedAt >= LAST_REPORT_MS;
  }

  /** A collector has taken in a report. */
  get isHeard(): boolean {
    return this.#heard().length > 0;
  }

  /** What the collectors know of hosts that lack data: those that the user named decide, where one of them answers. */
  word(now: number): CollectorsWord {
    const fresh = this.#heard().filter(
      ({ takenAt, intervalMs }) => now - takenAt <= intervalMs + LAST_REPORT_MS,
    );
    const pinned = fresh.filter(({ isPinned }) => isPinned);
    const deciding = pinned.length > 0 ? pinned : fresh;
    if (deciding.length === 0) return "unknown";
    return deciding.some(({ needy }) => needy > 0) ? "needy" : "none";
  }

  #heard(): Collector[] {
    return [...this.#active.values()].filter(({ takenVersion }) => takenVersion > 0);
  }

  #isTold({ isConnected, unanswered }: Collector): boolean {
    return isConnected && unanswered >= 2;
  }

  #isSilent({ takenVersion, unanswered }: Collector): boolean {
    return takenVersion === 0 && unanswered >= REPORT_TRIES;
  }

  /** Soon while the last state waits for its answer, then ever more rarely. */
  #retryMs({ unanswered }: Collector, now: number): number {
    if (now - this.#changedAt < LAST_REPORT_MS) return REPORT_RETRY_MS;
    return Math.min(REPORT_RETRY_MS * 2 ** Math.min(unanswered, 16), MAX_REPORT_INTERVAL_MS);
  }

  #giveUp(collector: Collector): void {
    const key = addressKey(collector.address);
    this.#active.delete(key);
    this.#fill();
    collector.unanswered = 0;
    this.#waiting.set(key, collector);
  }

  /** The place of one that the user did not name. */
  #displaceOne(): boolean {
    for (const [key, collector] of this.#active) {
      if (collector.isPinned) continue;
      this.#active.delete(key);
      if (this.#waiting.size < MAX_COLLECTOR_CANDIDATES) this.#waiting.set(key, collector);
      return true;
    }
    return false;
  }

  #fill(): void {
    const waiting = [...this.#waiting];
    const [next] = [...waiting.filter(([, { isPinned }]) => isPinned), ...waiting];
    if (next === undefined || this.#active.size >= MAX_COLLECTORS) return;
    this.#waiting.delete(next[0]);
    this.#active.set(...next);
  }
}
