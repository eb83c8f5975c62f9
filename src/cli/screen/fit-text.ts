// Text of an exact width in terminal columns. Knows wide characters, not what the text means.

/** Cut in the middle where the least is lost: "very-long-na…-0003.bin" keeps the end that tells files apart. */
export function fitText(text: string, width: number, ellipsis: string): string {
  if (Bun.stringWidth(text) <= width) return text;
  const room = width - Bun.stringWidth(ellipsis);
  if (room <= 0) return take(text, width);
  const tail = Math.floor(room / 3);
  const end = takeEnd(text, tail);
  return take(text, room - Bun.stringWidth(end)) + ellipsis + end;
}

/** Cut and filled up with spaces to exactly `width` columns. */
export function padText(text: string, width: number, ellipsis: string): string {
  const fitted = fitText(text, width, ellipsis);
  return fitted + " ".repeat(Math.max(0, width - Bun.stringWidth(fitted)));
}

function take(text: string, width: number): string {
  let taken = "";
  let used = 0;
  for (const { segment } of segmentsOf(text)) {
    used += Bun.stringWidth(segment);
    if (used > width) break;
    taken += segment;
  }
  return taken;
}

function takeEnd(text: string, width: number): string {
  const segments = [...segmentsOf(text)].map(({ segment }) => segment);
  let at = segments.length;
  let used = 0;
  while (at > 0) {
    used += Bun.stringWidth(segments[at - 1] ?? "");
    if (used > width) break;
    at--;
  }
  return segments.slice(at).join("");
}

/** Made when it is needed: it takes 1 ms of a start of 25. */
let segmenter: Intl.Segmenter | undefined;

/** What a reader takes for one character each, so that none is cut in half. */
function segmentsOf(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}
