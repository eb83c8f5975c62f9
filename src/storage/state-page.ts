// What the schema of a state file may be. A schema is text that SQLite compiles, and triggers, views and expressions in it run
// with our statements, so it is read from the bytes of the page first, and only the plain tables of ours pass. Pure.
import { MAX_SCHEMA_ENTRIES } from "./limits.ts";

/** SQLite's file format: the database header comes before the first page's own, in which the number of cells is at 3. */
export const DATABASE_HEADER_LENGTH = 100;
const LEAF_OF_TABLE = 0x0d;
const CELL_COUNT_AT = 3;
const CELL_POINTERS_AT = 8;
/** Bytes that hold all of a row on a page; the rest of a longer one would be on other pages. */
const LOCAL_MARGIN = 35;
const SERIAL_NULL = 0;
const FIRST_TEXT_SERIAL = 13;

const TABLE_NAMES = "ports|hashed_files|metadata|downloads|destinations";
const COLUMN = String.raw`\w+ (?:INTEGER|TEXT|BLOB)(?: NOT NULL| PRIMARY KEY| DEFAULT 0)*`;
const PLAIN_TABLE = new RegExp(
  String.raw`^CREATE TABLE (${TABLE_NAMES}) ?\( ?${COLUMN}(?:, ?${COLUMN})*(?:, ?PRIMARY KEY \(\w+(?:, ?\w+)*\))? ?\) STRICT$`,
);
const OWN_INDEX = new RegExp(`^sqlite_autoindex_(?:${TABLE_NAMES})_1$`);

/** A row of `sqlite_schema`. */
export interface SchemaEntry {
  readonly type: unknown;
  readonly name: unknown;
  readonly sql: unknown;
}

/** A table of ours without expressions, or the index that its key has by itself. */
export function isPlainEntry({ type, name, sql }: SchemaEntry): boolean {
  if (type === "index") return sql === null && typeof name === "string" && OWN_INDEX.test(name);
  if (type !== "table" || typeof sql !== "string") return false;
  return PLAIN_TABLE.exec(sql.replaceAll(/\s+/g, " "))?.[1] === name;
}

/** @returns whether the first page of a database holds a schema of plain entries alone. `page`: with the database's header. */
export function hasPlainSchema(page: Uint8Array): boolean {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  if (page.length <= DATABASE_HEADER_LENGTH + CELL_POINTERS_AT) return false;
  const cells = view.getUint16(DATABASE_HEADER_LENGTH + CELL_COUNT_AT);
  // A schema of more entries goes on, below an inner page.
  if (page[DATABASE_HEADER_LENGTH] !== LEAF_OF_TABLE || cells > MAX_SCHEMA_ENTRIES) return false;
  for (let cell = 0; cell < cells; cell++) {
    const at = view.getUint16(DATABASE_HEADER_LENGTH + CELL_POINTERS_AT + 2 * cell);
    const entry = entryAt(page, at);
    if (entry === undefined || !isPlainEntry(entry)) return false;
  }
  return true;
}

/** A cell: the length of the record, the rowid, and the record: type, name, tbl_name, rootpage, sql. */
function entryAt(page: Uint8Array, at: number): SchemaEntry | undefined {
  const reader = new PageReader(page, at);
  const length = reader.varint();
  reader.varint();
  if (length > page.length - LOCAL_MARGIN) return undefined;
  const start = reader.position;
  const bodyAt = start + reader.varint();
  const serials = [reader.varint(), reader.varint(), reader.varint(), reader.varint(), reader.varint()];
  if (reader.position !== bodyAt || start + length > page.length) return undefined;
  const values: (string | null | undefined)[] = [];
  let position = bodyAt;
  for (const serial of serials) {
    const size = sizeOf(serial);
    if (position + size > start + length) return undefined;
    values.push(valueOf(page.subarray(position, position + size), serial));
    position += size;
  }
  const [type, name, , , sql] = values;
  return { type, name, sql };
}

/** Bytes of a value in a record. */
function sizeOf(serial: number): number {
  if (serial >= 12) return Math.floor((serial - 12) / 2);
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][serial] ?? 0;
}

/** Texts and null alone matter here. */
function valueOf(bytes: Uint8Array, serial: number): string | null | undefined {
  if (serial === SERIAL_NULL) return null;
  const isText = serial >= FIRST_TEXT_SERIAL && serial % 2 === 1;
  return isText ? new TextDecoder().decode(bytes) : undefined;
}

/** Reads SQLite's integers of variable length: seven bits in a byte, the highest first. */
class PageReader {
  readonly #page: Uint8Array;
  position: number;

  constructor(page: Uint8Array, position: number) {
    this.#page = page;
    this.position = position;
  }

  /** Past the end of the page: 0. */
  varint(): number {
    let value = 0;
    for (let byte = 0; byte < 9; byte++) {
      const next = this.#page[this.position++] ?? 0;
      if (byte === 8) return value * 256 + next;
      value = value * 128 + (next & 0x7f);
      if (next < 0x80) break;
    }
    return value;
  }
}
