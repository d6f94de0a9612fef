import { characterAt, type Fault } from './fault.ts';
import { isSpace } from './names.ts';

/** The parts of an XML declaration in their order, XML 1.0 §2.8. Any 1.x is read as 1.0. */
const PARTS = [
  { name: 'version', value: /(["'])1\.[0-9]+\1/y, expected: 'version="1.0"' },
  {
    name: 'encoding',
    value: /(["'])[A-Za-z][A-Za-z0-9._-]*\1/y,
    expected: 'the name of an encoding in quotes',
  },
  { name: 'standalone', value: /(["'])(?:yes|no)\1/y, expected: '"yes" or "no"' },
] as const;

const ATTRIBUTE_START = /[ \t\r\n]+([a-z]+)[ \t\r\n]*=[ \t\r\n]*/y;
const END = /[ \t\r\n]*\?>/y;

/** The offset behind the XML declaration at the start of a text; 0 when there is none. */
export function readDeclaration(text: string): number | Fault {
  if (!text.startsWith('<?xml') || !(isSpace(text.charCodeAt(5)) || text.startsWith('?>', 5))) return 0;
  let at = 5;
  for (const { name, value, expected } of PARTS) {
    ATTRIBUTE_START.lastIndex = at;
    const start = ATTRIBUTE_START.exec(text);
    if (start?.[1] !== name) {
      if (name !== 'version') continue;
      const remedy = 'write <?xml version="1.0" encoding="UTF-8"?> or nothing';
      return { offset: 0, found: 'an XML declaration without version', expected, remedy };
    }
    value.lastIndex = ATTRIBUTE_START.lastIndex;
    if (!value.test(text)) {
      const found = `an unusable ${name} in the XML declaration`;
      return { offset: ATTRIBUTE_START.lastIndex, found, expected, remedy: `write ${expected}` };
    }
    at = value.lastIndex;
  }
  END.lastIndex = at;
  if (END.test(text)) return END.lastIndex;
  if (!text.includes('?>', at)) {
    const found = 'an XML declaration that is never closed';
    return { offset: 0, found, expected: '?>', remedy: 'end the declaration with ?>' };
  }
  while (isSpace(text.charCodeAt(at))) at++;
  const found = `${characterAt(text, at)} in the XML declaration`;
  const expected = '?> behind version, encoding and standalone, in this order';
  return { offset: at, found, expected, remedy: 'write <?xml version="1.0" encoding="UTF-8"?> or nothing' };
}
