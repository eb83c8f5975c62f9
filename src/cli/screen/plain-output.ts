// The plain answer: a magnet per served file, a path per complete one, and nothing else.
import { printable } from "../../core/format/file-name.ts";
import type { Answer, AnswerStream } from "./answer.ts";

export function plainOutput(stdout: AnswerStream): Answer {
  // A program gets the path as it is, a person on a terminal must not be steered by it.
  const shown = (path: string) => (stdout.isTerminal ? printable(path) : path);
  return {
    handle(event) {
      if (event.type === "serving") stdout.write(`${event.magnet}\n`);
      if (event.type === "completed") stdout.write(`${shown(event.path)}\n`);
    },
    fail() {},
  };
}
