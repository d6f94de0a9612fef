import type { TwimlCode } from '../../core/error-catalogue.ts';
import type { TwimlElement } from '../document/element.ts';
import type { AttributeTable, Support, Values } from '../verbs/attributes.ts';
import type { ReadContext } from '../verbs/define-verb.ts';

/** What stands between the tags of an element, as text. */
export interface TextRule {
  /** For people: 'the URL of an audio file'. */
  readonly expected: string;
  /** Raised when there is none. */
  readonly required?: TwimlCode;
  /** How many characters there may be; more raise `tooLong`. */
  readonly most?: number;
  readonly tooLong?: TwimlCode;
  /** What it looks like; anything else raises `invalid`. */
  readonly pattern?: RegExp;
  readonly invalid?: TwimlCode;
}

/** An element of the grammar, as one piece of data. Whatever reads, lists or describes TwiML takes it from here. */
export interface ElementSpec<T extends AttributeTable = AttributeTable> {
  /** Its name; `Parent>Name` where one name means different things. */
  readonly key: string;
  /** As documents write it. */
  readonly name: string;
  readonly docs: string;
  readonly attributes: T;
  /** Keys of the elements that may stand in it. */
  readonly children: readonly string[];
  /** Raised for any other element in it, which is left out. */
  readonly invalidChild: TwimlCode;
  /** Codes that end the document where the element is executed, when reading it has raised them. */
  readonly fatal?: readonly TwimlCode[];
  /** Absent: it takes none, and what is there raises 12200. */
  readonly text?: TextRule;
  readonly support: Support;
  /** What a refused one is answered with. */
  readonly refusal?: TwimlCode;
  /** Reports what no single attribute can say. */
  validate?(element: TwimlElement, values: Values<NoInfer<T>>, context: ReadContext): void;
}

type Given<T extends AttributeTable> = Partial<Omit<ElementSpec<T>, 'key' | 'docs' | 'validate'>> &
  Pick<ElementSpec<T>, 'key' | 'docs' | 'validate'>;

/** An element without attributes, children and text, as far as nothing else is said. */
export function element<const T extends AttributeTable = Readonly<Record<string, never>>>(
  given: Given<T>,
): ElementSpec<T> {
  const { key, docs } = given;
  // The table's type is that of the table, or of none.
  const attributes = (given.attributes ?? {}) as T;
  const standard = { name: nameIn(key), children: [], invalidChild: 12200, support: 'executed' } as const;
  return { ...standard, ...given, key, docs: new URL(docs, DOCS).href, attributes };
}

/** Paths in specs are relative to it. */
const DOCS = 'https://www.twilio.com/docs/voice/twiml/';

/** The name of an element by its key. */
export function nameIn(key: string): string {
  return key.slice(key.indexOf('>') + 1);
}
