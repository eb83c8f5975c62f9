// Tells the nodes that collect reports how far this host is with one torrent: progress now and then, and at the end its last state until
// they have it. The collectors are learned from the user's addresses and from connected peers.
import type { FirstHandState } from "../../core/exchange/first-hand-hosts.ts";
import type { Report, ReportAnswer } from "../../core/exchange/report-message.ts";
import { type CollectorsWord, ReportSchedule } from "../../core/exchange/report-schedule.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { InfoHash } from "../../core/torrent/ids.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";

/** How a report gets to a collector; without an answer nothing is called. */
export interface ReportPort {
  send(report: Report, to: PeerAddress, onAnswer: (answer: ReportAnswer) => void): void;
}

export interface ReporterOptions {
  readonly infoHash: InfoHash;
  /** In hexadecimal digits. */
  readonly destination: string;
  readonly port: ReportPort;
  /** Verified pieces, 0 to 1. */
  readonly progress: () => number;
  /** Milliseconds of a clock that never steps back. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Why this host failed: its exit code, and words for people. */
export interface Failure {
  readonly code: number;
  readonly text: string;
}

const NO_FAILURE: Failure = { code: 0, text: "" };
const PERMILLE = 1000;

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #schedule: ReportSchedule;
  #state: FirstHandState = "leeching";
  #failure = NO_FAILURE;
  #hasMetPeer = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#schedule = new ReportSchedule(options.random);
  }

  get state(): FirstHandState {
    return this.#state;
  }

  /** The last state has reached the collectors, or there is no more to be done for it. */
  get isSettled(): boolean {
    const now = this.#options.now();
    // A host that is stopped ends at once where none has ever listened.
    if (this.#state === "left" && !this.#schedule.isHeard) return true;
    // A file that was there already is done before any collector can be known.
    const isTooEarly = this.#state === "done" && !this.#hasMetPeer && this.#schedule.collectors.length === 0;
    return this.#schedule.isSettled(now) && (!isTooEarly || this.#schedule.isOver(now));
  }

  /** What the collectors know of other hosts that lack data. */
  get word(): CollectorsWord {
    return this.#schedule.word(this.#options.now());
  }

  /** The user named the address: it is asked, and does not collect when it never answers. */
  addPinned(address: PeerAddress): void {
    this.#schedule.add(address, { isPinned: true, isConnected: false }, this.#options.now());
  }

  /** A connected peer has said what it is. Its word makes it a collector at its proved address alone. */
  onExtendedHandshake(peer: PeerConnection): void {
    const { extended, dialled, remote } = peer;
    if (extended === undefined) return;
    this.#hasMetPeer = true;
    const port = dialled?.port ?? extended.listenPort;
    if (port === undefined) return;
    const address = { host: remote.host, port };
    if (!extended.collects) return this.#schedule.remove(address);
    this.#schedule.add(address, { isPinned: false, isConnected: true }, this.#options.now());
  }

  forget(peer: PeerConnection): void {
    const { listenAddress } = peer;
    if (listenAddress !== undefined) this.#schedule.disconnected(listenAddress);
  }

  say(state: FirstHandState, failure = NO_FAILURE): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#failure = failure;
    this.#schedule.stateChanged(this.#options.now());
    this.tick();
  }

  tick(): void {
    const { port, now } = this.#options;
    const due = this.#schedule.due(now());
    if (due.length === 0) return;
    const report = this.#report();
    const { version } = this.#schedule;
    for (const address of due) {
      port.send(report, address, (answer) => {
        this.#schedule.answered(address, answer, version, now());
        // It gave us its token: the report itself goes at once.
        if (answer.needy === undefined) this.tick();
      });
    }
  }

  #report(): Report {
    const { infoHash, destination, progress } = this.#options;
    const { code, text } = this.#failure;
    const permille = Math.floor(Math.min(1, Math.max(0, progress())) * PERMILLE);
    return { infoHash, destination, state: this.#state, progress: permille, failure: code, text };
  }
}
