import type { Request, RequestHandler } from 'express';
import { XMLBuilder } from 'fast-xml-parser';
import { z } from 'zod';

/** The version whose resources are XML unless their path ends in `.json`; later ones are JSON alone. */
const XML_VERSION = '/2010-04-01/';

const ATTRIBUTE = '@';

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: ATTRIBUTE,
  suppressBooleanAttributes: false,
  suppressEmptyNode: true,
});

const elements = new WeakMap<Request, string>();

/** Says what one item of the resource that a request reached is called in XML. */
export function nameElement(req: Request, element: string): void {
  elements.set(req, element);
}

/** What an item at a path is called: the singular of the last name in it, `Call` for `/Calls/:sid{.json}`. */
export function elementOf(path: string): string {
  const names = path.replace('{.json}', '').split('/');
  return singular(names.findLast((name) => /^[A-Za-z]+$/.test(name)) ?? 'Resource');
}

function singular(name: string): string {
  return name.replace(/(ss)es$|s$/, '$1');
}

/**
 * Answers the 2010-04-01 API in XML where the path has no suffix or `.xml`. Resources go on answering with objects;
 * here they are written down. Media keep their own suffixes and types.
 *
 * @see https://www.twilio.com/docs/usage/twilios-response#response-formats-xml
 */
export function answerXml(): RequestHandler {
  return (req, res, next) => {
    const [path = '', ...query] = req.url.split('?');
    if (!path.startsWith(XML_VERSION) || path.endsWith('.json')) return next();
    if (path.endsWith('.xml')) req.url = [path.replace(/xml$/, 'json'), ...query].join('?');
    res.json = (body: unknown) =>
      res
        .type('application/xml')
        .send(xmlOf(body, res.statusCode < 400 ? (elements.get(req) ?? 'Resource') : 'RestException'));
    next();
  };
}

const object = z.record(z.string(), z.unknown());

/**
 * A JSON answer as Twilio writes it in XML: fields in CamelCase, the paging of a list as attributes of its element, and
 * URIs without `.json`.
 *
 * @param element what one item is called
 */
export function xmlOf(body: unknown, element: string): string {
  const fields = object.parse(body);
  const list = Object.entries(fields).find(([, value]) => Array.isArray(value));
  const isPage = list !== undefined && 'page_size' in fields;
  const content = isPage
    ? { [camelCase(list[0])]: { ...paging(fields, list[0]), ...itemsOf(list[1], element) } }
    : { [element]: written(fields, element) };
  const xml: string = builder.build({ TwilioResponse: content });
  // A carriage return as such is read as a line feed (XML 1.0 §2.11).
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xml.replaceAll('\r', '&#xD;')}`;
}

type Written = string | { readonly [name: string]: Written | readonly Written[] };

/** `next_page_uri` is the attribute `nextpageuri`, as `page_size` is `pagesize`. */
function paging(fields: Readonly<Record<string, unknown>>, list: string): Record<string, string> {
  const given = Object.entries(fields).filter(([name]) => name !== list);
  return Object.fromEntries(
    given.map(([name, value]) => [
      ATTRIBUTE + name.replace('_page_uri', 'pageuri').replaceAll('_', ''),
      text(value),
    ]),
  );
}

function written(value: unknown, name: string): Written {
  if (Array.isArray(value)) return itemsOf(value, singular(name));
  if (typeof value !== 'object' || value === null) return text(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => {
      const below = camelCase(key);
      const isUri = typeof field === 'string' && (key === 'uri' || name === 'SubresourceUris');
      return [below, isUri ? text(field.replace(/\.json$/, '')) : written(field, below)];
    }),
  );
}

function itemsOf(items: unknown, element: string): Record<string, readonly Written[]> {
  return {
    [element]: z
      .array(z.unknown())
      .parse(items)
      .map((item) => written(item, element)),
  };
}

/** `date_created` as `DateCreated`. What a name may not hold (XML 1.0 §2.3) is an underscore. */
function camelCase(field: string): string {
  const name = field.replace(/(?:^|_)([a-z0-9])/g, (_all, first: string) => first.toUpperCase());
  return name.replace(/[^A-Za-z0-9_-]/g, '_').replace(/^(?=[^A-Za-z_])|^$/, '_');
}

/** Characters that XML cannot hold, not even as references (XML 1.0 §2.2). */
const UNWRITABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value).replace(UNWRITABLE, '\uFFFD');
}
