import { isElement, type Position, type TwimlElement, textOf, visiblePosition } from '../document/element.ts';

/** An element and everything in it, in document order. */
export function elementsIn(root: TwimlElement): readonly TwimlElement[] {
  const found: TwimlElement[] = [];
  collect(root, found); // the parser bounds the depth
  return found;
}

function collect(element: TwimlElement, found: TwimlElement[]): void {
  found.push(element);
  for (const child of element.children) if (isElement(child)) collect(child, found);
}

/** The value of an attribute without white space around it; undefined when it is absent. */
export function written(element: TwimlElement, name: string): string | undefined {
  return element.attributes.get(name)?.value.trim();
}

/** Where an attribute stands; where the element does, when it is absent. */
export function placeOf(element: TwimlElement, name: string): Position {
  return element.attributes.get(name)?.position ?? element.position;
}

/** Claims that a boolean attribute says yes. */
export function isOn(element: TwimlElement, name: string): boolean {
  return written(element, name)?.toLowerCase() === 'true';
}

export function childrenNamed(element: TwimlElement, ...names: readonly string[]): readonly TwimlElement[] {
  return element.children.filter(isElement).filter(({ name }) => names.includes(name));
}

/** The text directly inside an element without white space around it, and where it begins. */
export function bodyOf(element: TwimlElement): { readonly text: string; readonly position: Position } {
  for (const child of element.children) {
    if (isElement(child) || !/\S/.test(child.text)) continue;
    return { text: textOf(element).trim(), position: visiblePosition(child) };
  }
  return { text: '', position: element.position };
}

/** Claims that a template has yet to fill this in: it says nothing so far. Our choice of what looks like one. */
export function isTemplate(text: string): boolean {
  return /\{\{|\{%|<%|\$\{|#\{/.test(text);
}
