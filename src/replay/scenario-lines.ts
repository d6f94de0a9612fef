import { type Document, isCollection, isMap, isNode, isScalar, type LineCounter } from 'yaml';

/** The line of the value that a path leads to, of its key where it has one; of what holds it, where there is none. */
export function lineOf(
  { contents }: Document.Parsed,
  lines: LineCounter,
  path: readonly PropertyKey[],
): number | undefined {
  let node: unknown = contents;
  let place: unknown = contents;
  for (const step of path) {
    if (!isCollection(node)) break;
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
    const next: unknown = node.get(step, true);
    if (next === undefined) break;
    node = next;
    place = pair?.key ?? next;
  }
  return isNode(place) && place.range ? lines.linePos(place.range[0]).line : undefined;
}
