// Looks again and again at a complete file that is being shared: it must stay what it was when its content was known. A
// change of its stamp suspends the content for every reader until all of it has been hashed again; the same content goes on
// under the new stamp, other content ends the sharing.
import type { Metainfo } from "../../core/format/metainfo.ts";
import { HashFailure } from "../../hashing/hash-failure.ts";
import { bytesEqual } from "../../lib/bytes.ts";
import type { Logger } from "../../lib/logger.ts";
import type { FileStamp } from "../../storage/state-store.ts";
import type { StampedFile } from "../../storage/stamped-file.ts";
import type { Clock } from "../../lib/clock.ts";
import type { ContentFailure } from "./content-failure.ts";
import { SOURCE_CHECK_MS } from "./limits.ts";
import type { SpanContent } from "./span-content.ts";

/** What a watch looks at. */
export type WatchedFile = Pick<StampedFile, "path" | "changed" | "presentStamp" | "adoptStamp" | "isInPlace">;

export interface ContentWatchOptions {
  readonly file: WatchedFile;
  readonly content: Pick<SpanContent, "suspend" | "resume" | "forget" | "hash">;
  readonly metainfo: Metainfo;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Names the end of the sharing for the user. */
  readonly failure: ContentFailure;
  /** Called once, with the content still suspended: the file changed or cannot be read. The watch has ended. */
  readonly onFailure: (error: unknown) => void;
}

export class ContentWatch {
  readonly #options: ContentWatchOptions;
  readonly #closing = new AbortController();
  readonly #stopTimer: () => void;
  #check: Promise<void> | undefined;

  /** Begins to look every SOURCE_CHECK_MS. */
  constructor(options: ContentWatchOptions) {
    this.#options = options;
    this.#stopTimer = options.clock.every(SOURCE_CHECK_MS, () => {
      this.#check ??= this.#look().finally(() => {
        this.#check = undefined;
      });
    });
  }

  /** Ends a hashing under way. Resolves when the file is used no more. */
  async close(): Promise<void> {
    this.#stopTimer();
    this.#closing.abort();
    await this.#check;
  }

  async #look(): Promise<void> {
    const { file, content, onFailure } = this.#options;
    try {
      if (!(await file.changed()) || this.#isClosing) return;
      content.suspend();
      const stamp = await file.presentStamp();
      if (!(await this.#isSame(stamp))) throw this.#options.failure(file.path);
      if (this.#isClosing) return;
      file.adoptStamp(stamp);
      content.forget(0, stamp.size);
      content.resume();
      await this.#report();
    } catch (error) {
      if (this.#isClosing) return;
      this.#stopTimer();
      onFailure(error instanceof HashFailure ? this.#options.failure(file.path, error) : error);
    }
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #isSame(stamp: FileStamp): Promise<boolean> {
    const { content, metainfo } = this.#options;
    const { length, pieceLength } = metainfo.geometry;
    if (stamp.size !== length) return false;
    const digests = await content.hash({ offset: 0, length, pieceLength, signal: this.#closing.signal });
    return bytesEqual(digests, metainfo.pieces);
  }

  /** A removed or replaced file stays what it was as long as it is open. */
  async #report(): Promise<void> {
    const { file, logger } = this.#options;
    if (await file.isInPlace()) logger.info(`${file.path}: was touched; its content is the same`);
    else logger.warn(`${file.path}: was removed or replaced; what it was goes on being served until the end`);
  }
}
