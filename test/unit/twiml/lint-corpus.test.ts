import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../../src/twiml/document/decode.ts';
import { lint } from '../../../src/twiml/lint/lint.ts';

const FOLDER = join(import.meta.dirname, '../../corpus/twiml/lint');
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.xml'));

/** The documents as they are served. */
function textOf(name: string): string {
  const decoded = decodeBody(readFileSync(join(FOLDER, name)), '');
  if (!decoded.ok) throw new Error(decoded.diagnostic.message);
  return decoded.text;
}

describe('documents as people write them', () => {
  it('are a hundred and more, of every kind', () => {
    expect(names.length).toBeGreaterThanOrEqual(100);
    const text = names.map(textOf).join('');
    for (const element of ['Gather', 'Record', 'Conference', 'Enqueue', 'Sip', 'Pay', 'Stream', 'break']) {
      expect(text.split(`<${element}`).length, element).toBeGreaterThan(2);
    }
  });

  it('raise no alarm, wherever they are served', () => {
    for (const url of [undefined, 'https://app.example.com/voice', 'http://localhost:3000/voice']) {
      const alarms = names.flatMap((name) =>
        lint(textOf(name), url === undefined ? {} : { url })
          .filter(({ level }) => level !== 'note')
          .map(({ line, column, code, message }) => `${name}:${line}:${column} ${code} ${message}`),
      );
      expect(alarms).toEqual([]);
    }
  });

  it('say nothing at all where everything in them is executed and their address is known', () => {
    const url = 'https://app.example.com/voice';
    const quiet = ['hello', 'menu-digits', 'voicemail', 'dial-screened', 'sip-headers', 'redirect', 'survey'];
    for (const name of quiet) expect(lint(textOf(`${name}.xml`), { url }), name).toEqual([]);
  });
});
