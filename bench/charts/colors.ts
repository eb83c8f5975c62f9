// The colours of the pictures, and what becomes of each on a dark page. No two are equal: a colour is all that tells the
// style sheet what it has before it.

const PAIRS = {
  page: ["#ffffff", "#0d1117"],
  /** Border of the page and grid. */
  line: ["#d1d9e0", "#3d444d"],
  text: ["#1f2328", "#f0f6fc"],
  quiet: ["#59636e", "#9198a1"],
  ours: ["#0969da", "#4493f8"],
  theirs: ["#9aa4ae", "#656c76"],
  orange: ["#bc4c00", "#f0883e"],
  green: ["#1a7f37", "#3fb950"],
  gray: ["#6e7781", "#8d96a0"],
  purple: ["#8250df", "#ab7df8"],
} as const satisfies Readonly<Record<string, readonly [light: string, dark: string]>>;

type ColorName = keyof typeof PAIRS;

/** On a light page, as they stand in the SVG. */
export const COLORS = Object.fromEntries(
  Object.entries(PAIRS).map(([name, [light]]) => [name, light]),
) as Readonly<Record<ColorName, string>>;

/** A style sheet has precedence over the attributes that the SVG is written with. */
export function darkStyle(): string {
  const rules = Object.values(PAIRS).flatMap(([light, dark]) => [
    `[fill="${light}"]{fill:${dark}}`,
    `[stroke="${light}"]{stroke:${dark}}`,
  ]);
  return `@media (prefers-color-scheme:dark){${rules.join("")}}`;
}
