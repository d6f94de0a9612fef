import type { RegionId } from '../../region/region.ts';
import type { Position, TwimlElement } from '../document/element.ts';
import type { LintLevel } from './lint-diagnostic.ts';
import type { WrittenUrl } from './written-urls.ts';

/** A document as the rules see it. */
export interface LintedDocument {
  readonly text: string;
  readonly root: TwimlElement;
  /** The elements directly in `<Response>`, in order. */
  readonly verbs: readonly TwimlElement[];
  /** Every element, the root first, in document order. */
  readonly elements: readonly TwimlElement[];
  readonly urls: readonly WrittenUrl[];
  /** Where it is served; undefined when nobody said. */
  readonly url: string | undefined;
  /** It has no address, ever. */
  readonly inline: boolean;
  readonly region: RegionId | undefined;
  readonly domain: string;
}

/** What a rule says about a place. */
export interface Finding {
  readonly message: string;
  /** Twilio's code, where it has one for this; else the rule's own name is the code. */
  readonly code?: number;
  /** Where it differs from the rule's. */
  readonly level?: LintLevel;
  readonly actual?: string | undefined;
  readonly expected?: string | undefined;
}

export type Report = (position: Position, finding: Finding) => void;

/**
 * Something that a correct document can still get wrong. A rule speaks up only where it is certain: a warning where
 * the document cannot do what it says, a note where it does something that surprises people.
 */
export interface Rule {
  /** Stable: people write it into the settings of their tools. */
  readonly id: string;
  readonly level: LintLevel;
  /** What it finds, in a few words. */
  readonly title: string;
  /** Where the behaviour is documented. */
  readonly docs: string;
  check(document: LintedDocument, report: Report): void;
}
