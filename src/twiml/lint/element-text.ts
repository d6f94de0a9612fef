import {
  isElement,
  type Position,
  type TwimlElement,
  type TwimlText,
  textOf,
  visiblePosition,
} from '../document/element.ts';

/** An element and everything in it, in document order. */
export function elementsIn(root: TwimlElement): readonly TwimlElement[] {
  const found: TwimlElement[] = [];
  const pending = [root];
  for (let element = pending.pop(); element !== undefined; element = pending.pop()) {
    found.push(element);
    pending.push(...element.children.filter(isElement).reverse());
  }
  return found;
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
  const first = element.children.find(
    (child): child is TwimlText => !isElement(child) && /\S/.test(child.text),
  );
  return { text: textOf(element).trim(), position: first ? visiblePosition(first) : element.position };
}
