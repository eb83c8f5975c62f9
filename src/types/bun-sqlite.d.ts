// A method of statements that the types of bun:sqlite lack.
declare module "bun:sqlite" {
  interface Statement {
    /** Whether integers are read as bigints. */
    safeIntegers(on: boolean): this;
  }
}

export type { Statement } from "bun:sqlite";
