// Finds circles of imports, by value or by type. A circle of types shows that two files are one thing; linters look at values
// only.

/**
 * Strongly connected components of more than one file (Tarjan 1972), and files that import themselves.
 * @param imports file to the files that it imports; a file that is imported and is no key has no imports.
 */
export function importCircles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];

  function visit(file: string): number {
    const number = order.size;
    order.set(file, number);
    let low = number;
    path.push(file);
    for (const next of imports.get(file) ?? []) {
      const known = order.get(next);
      if (known === undefined) low = Math.min(low, visit(next));
      else if (path.includes(next)) low = Math.min(low, known);
    }
    lowest.set(file, low);
    if (low === number) {
      const members = path.splice(path.indexOf(file));
      if (members.length > 1 || imports.get(file)?.includes(file) === true) circles.push(members.toSorted());
    }
    return low;
  }

  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return circles;
}
