import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type LintCommandOptions, lintCommand } from '../../../src/bin/lint/lint-command.ts';
import { type Listening, listen } from '../../support/listen.ts';

const GOOD = '<Response><Say>Hello</Say></Response>';
const WARNED = '<Response>\n\t<Say loop="x">Hello</Say>\n</Response>';
const BROKEN = '<Response>\n  <Say>Fish & chips</Say>\n</Response>';
const NOTED = '<Response><Pause/></Response>';

let folder = '';
let server: Listening;

const ANSWERS: Readonly<Record<string, readonly [type: string, body: string | Buffer]>> = {
  '/good': ['text/xml', GOOD],
  '/relative': ['text/xml', '<Response><Gather action="in"/><Redirect>/relative</Redirect></Response>'],
  '/latin1': [
    'text/xml; charset=ISO-8859-1',
    Buffer.from(
      '<?xml version="1.0" encoding="iso-8859-1"?><Response><Say>caf\xe9</Say></Response>',
      'latin1',
    ),
  ],
  '/other-charset': [
    'text/xml; charset=ISO-8859-1',
    Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n<Response><Say>caf\xe9</Say></Response>', 'latin1'),
  ],
  '/unknown-charset': ['text/xml; charset=x', GOOD],
  '/plain-twiml-latin1': [
    'text/plain; charset=latin1',
    Buffer.from('<Response><Say>caf\xe9</Say></Response>', 'latin1'),
  ],
  '/json': ['application/json', '{}'],
  '/typeless': ['', GOOD],
  '/audio': ['audio/mpeg', 'ID3'],
  '/text': ['text/plain', 'Hello there'],
  '/plain-twiml': ['text/plain', `\n${WARNED}`],
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lint-'));
  mkdirSync(join(folder, 'twiml/deeper'), { recursive: true });
  mkdirSync(join(folder, 'twiml/node_modules/other'), { recursive: true });
  mkdirSync(join(folder, 'empty'));
  const files = {
    'good.xml': GOOD,
    'warned.xml': WARNED,
    'broken.xml': BROKEN,
    'noted.xml': NOTED,
    'twiml/b.xml': GOOD,
    'twiml/a.TWIML': WARNED,
    'twiml/deeper/c.twiml': BROKEN,
    'twiml/readme.txt': 'no document',
    'twiml/node_modules/other/d.xml': BROKEN,
    'empty/notes.txt': 'nothing',
    'utf8.xml': Buffer.from([0x3c, 0xff]),
    'huge.xml': 'x'.repeat(2_000_000),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  server = await listen((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname === '/slow') return;
    if (pathname === '/post' && request.method !== 'POST') return response.writeHead(405).end();
    if (pathname === '/moved') return response.writeHead(302, { location: '/relative' }).end();
    const [type, body] = ANSWERS[pathname === '/post' ? '/good' : pathname] ?? [];
    if (type === undefined) return response.writeHead(404).end();
    return response.writeHead(200, type === '' ? {} : { 'content-type': type }).end(body);
  });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});

interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  inputs: readonly string[],
  options: Partial<LintCommandOptions> = {},
  { stdin = '', color = false }: { stdin?: string | Buffer; color?: boolean } = {},
): Promise<Run> {
  let out = '';
  let err = '';
  const standard: LintCommandOptions = {
    format: 'text',
    inline: false,
    method: 'GET',
    domain: 'trunkline.localhost',
  };
  const status = await lintCommand(
    inputs,
    { ...standard, ...options },
    {
      stdin: Readable.from([Buffer.from(stdin)]),
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      color,
    },
  );
  return { status, out, err };
}

const at = (name: string) => join(folder, name);
const headlines = ({ out }: Run) =>
  out.split('\n').filter((line) => /:\d+:\d+ /.test(line) && !line.startsWith(' '));
const json = z.object({
  documents: z.array(
    z.object({ name: z.string(), diagnostics: z.array(z.looseObject({ code: z.unknown() })) }),
  ),
  unreadable: z.array(z.object({ name: z.string(), why: z.string() })),
  summary: z.record(z.string(), z.number()),
});

describe('trunkline lint', () => {
  it('exits by the worst it found', async () => {
    expect(await run([at('good.xml')])).toMatchObject({ status: 0, out: '1 document: nothing to report\n' });
    expect(await run([at('none of it.xml')])).toMatchObject({ status: 3, out: '1 could not be read\n' });
    expect((await run([at('noted.xml')])).status).toBe(0);
    expect((await run([at('noted.xml'), at('warned.xml')])).status).toBe(1);
    expect((await run([at('warned.xml'), at('broken.xml')])).status).toBe(2);
    expect((await run([at('broken.xml'), at('missing.xml')])).status).toBe(3);
  });

  it('shows people the line, what was found, what was expected and where to read on', async () => {
    const { out } = await run([at('warned.xml')]);
    expect(out).toBe(
      [
        `${at('warned.xml')}:2:7 warning 13510 loop="x" cannot be used; expected a whole number, at least 0; the default is used.`,
        '  2 | \t<Say loop="x">Hello</Say>',
        '    | \t     ^^^^',
        '  found:    x',
        '  expected: a whole number, at least 0',
        '  https://www.twilio.com/docs/api/errors/13510',
        '',
        '1 document: 1 warning',
        '',
      ].join('\n'),
    );
  });

  it('colours for a terminal alone', async () => {
    const { out } = await run([at('warned.xml')], {}, { color: true });
    expect(out).toContain('\x1b[');
    expect(out.replaceAll(/\x1b\[\d+m/g, '')).toBe((await run([at('warned.xml')])).out);
  });

  it('keeps control characters of a document from the terminal', async () => {
    const { out } = await run(['-'], {}, { stdin: '<Response><Say>\x1b]0;own\x07</Say></Response>' });
    expect(out).toContain('12100');
    expect(out).not.toMatch(/[\x00-\x08\x0b-\x1f]/);
  });

  it('cuts a long line to what is near', async () => {
    const text = `<Response>${'<Say>Hello</Say>'.repeat(200)}<Say loop="x">Hi</Say></Response>`;
    const [, shown = '', carets = ''] = (await run(['-'], {}, { stdin: text })).out.split('\n');
    expect(shown).toMatch(/^ {2}1 \| ….*<Say loop="x">Hi/);
    expect(shown.length).toBeLessThan(120);
    expect(shown.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('loop');
  });

  it('reads a directory in order of paths, other files and packages left out', async () => {
    const result = await run([at('twiml')]);
    expect(headlines(result).map((line) => line.slice(folder.length + 1).replace(/ .*/, ''))).toEqual([
      'twiml/a.TWIML:2:7',
      'twiml/deeper/c.twiml:2:13',
    ]);
    expect(result.out).toContain('3 documents: 1 error, 1 warning');
  });

  it('reads standard input, in whatever encoding its bytes declare', async () => {
    expect(await run(['-'], {}, { stdin: GOOD })).toMatchObject({ status: 0 });
    expect(headlines(await run(['-'], {}, { stdin: NOTED }))[0]).toMatch(/^stdin:1:11 note first-verb /);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(NOTED, 'utf16le')]);
    expect(headlines(await run(['-'], {}, { stdin: utf16 }))[0]).toMatch(/^stdin:1:11 note/);
    expect(headlines(await run([at('utf8.xml')]))).toEqual([expect.stringMatching(/:1:\d+ error 12100 /)]);
  });

  it('says what could not be read, and why', async () => {
    const said = async (input: string) => {
      const { status, err } = await run([input]);
      return `${status} ${err.replace(folder, '')}`;
    };
    expect(await said(at('missing.xml'))).toBe('3 error: /missing.xml: there is no such file or directory\n');
    expect(await said(at('empty'))).toBe(
      '3 error: /empty: the directory has no *.xml and no *.twiml in it\n',
    );
    expect(await said(at('huge.xml'))).toContain(
      'it has 2000000 bytes; a TwiML document may have at most 65536',
    );
    expect(await said(`${server.url}/none`)).toMatch(/^3 error: .*\/none: 11200 .*404.*--method POST/);
    expect(await said(`${server.url}/audio`)).toMatch(/answers with audio \(audio\/mpeg\)/);
    expect(await said(`${server.url}/text`)).toMatch(/answers with plain text, which a call speaks/);
    expect(await said('http://127.0.0.1:1/')).toMatch(/^3 error: http:\/\/127\.0\.0\.1:1\/: 11\d\d\d /);
  });

  it('gives up on a URL as a call does', async () => {
    // The URL's own limits: nothing waits for longer.
    const { status, err } = await run([`${server.url}/slow#tt=150&rt=100&rc=0`]);
    expect(status).toBe(3);
    expect(err).toMatch(/\/slow: 112\d\d /);
    expect(err).not.toContain('#tt');
  });

  it('judges what a URL answers by its content type, as a call does', async () => {
    expect((await run([`${server.url}/good`])).status).toBe(0);
    expect((await run([`${server.url}/latin1`])).status).toBe(0);
    expect(headlines(await run([`${server.url}/json`]))[0]).toMatch(/\/json:1:1 error 12300 /);
    expect(headlines(await run([`${server.url}/typeless`]))[0]).toMatch(/\/typeless:1:1 error 12300 /);
    expect(headlines(await run([`${server.url}/plain-twiml`]))[0]).toMatch(/:3:7 warning 13510 /);
    expect((await run([`${server.url}/post`])).status).toBe(3);
    expect((await run([`${server.url}/post`], { method: 'POST' })).status).toBe(0);
  });

  it('reads what a URL answers by the charset of its content type, and warns where its declaration says another', async () => {
    const other = await run([`${server.url}/other-charset`]);
    expect(other.status).toBe(1);
    expect(headlines(other)).toEqual([
      expect.stringMatching(
        /\/other-charset:1:31 warning encoding-disagrees the charset of the Content-Type says ISO-8859-1, the XML declaration says UTF-8; the charset of the Content-Type counts/,
      ),
    ]);
    expect(other.out).toContain('https://www.rfc-editor.org/rfc/rfc7303#section-3.2');
    const unknown = await run([`${server.url}/unknown-charset`]);
    expect(unknown.status).toBe(2);
    expect(headlines(unknown)).toEqual([expect.stringMatching(/:1:1 error 12100 .*unknown encoding x,/)]);
    expect((await run([`${server.url}/plain-twiml-latin1`])).status).toBe(0);
  });

  it('warns where the mark of a file and its declaration disagree', async () => {
    const stdin = '\uFEFF<?xml version="1.0" encoding="ISO-8859-1"?><Response><Say>é</Say></Response>';
    expect(headlines(await run(['-'], {}, { stdin }))).toEqual([
      expect.stringMatching(/^stdin:1:31 warning encoding-disagrees the byte order mark says utf-8, /),
    ]);
  });

  it('takes the address after redirects as the base of relative URLs', async () => {
    const { documents } = json.parse(
      JSON.parse((await run([`${server.url}/moved`], { format: 'json' })).out),
    );
    expect(documents[0]?.diagnostics).toEqual([]);
    const codes = headlines(await run(['-'], {}, { stdin: '<Response><Gather action="in"/></Response>' }));
    expect(codes[0]).toContain('note 15004');
    const served = { url: 'https://a.io/voice' };
    expect(
      headlines(await run(['-'], served, { stdin: '<Response><Gather action="in"/></Response>' })),
    ).toEqual([]);
  });

  it('looks at what a Region does not have, and at what text without an address cannot do', async () => {
    const stdin = '<Response><Sms>Hi</Sms><Redirect>/next</Redirect></Response>';
    expect(headlines(await run(['-'], { region: 'au1' }, { stdin })).join()).toContain('error 13803');
    expect(headlines(await run(['-'], { region: 'us1' }, { stdin })).join()).not.toContain('13803');
    expect(headlines(await run(['-'], { inline: true }, { stdin })).join()).toContain('error 15004');
  });

  it('writes JSON with every document, even one without mistakes', async () => {
    const { out, status } = await run([at('good.xml'), at('warned.xml'), at('none.xml')], { format: 'json' });
    expect(status).toBe(3);
    expect(json.parse(JSON.parse(out))).toMatchObject({
      documents: [
        { name: at('good.xml'), diagnostics: [] },
        { name: at('warned.xml'), diagnostics: [{ code: 13510, level: 'warning', line: 2, column: 7 }] },
      ],
      unreadable: [{ name: at('none.xml'), why: 'there is no such file or directory' }],
      summary: { documents: 2, unreadable: 1, errors: 0, warnings: 1, notes: 0 },
    });
  });

  it("writes GitHub's workflow commands, with what would end them escaped", async () => {
    const stdin = '<Response><Say voice="50%,:\n">a</Say></Response>';
    const { out } = await run(['-', at('broken.xml'), at('none:1,2.xml')], { format: 'github' }, { stdin });
    const lines = out.split('\n').filter((line) => line !== '');
    expect(lines).toEqual([
      expect.stringMatching(
        /^::warning file=stdin,line=1,col=16,title=TwiML 13511::voice="50%25,: " cannot be used/,
      ),
      expect.stringMatching(/^::error file=.*broken\.xml,line=2,col=13,title=TwiML 12100::/),
      expect.stringMatching(/^::error file=.*none%3A1%2C2\.xml::there is no such file/),
    ]);
  });
});

/** What the SARIF 2.1.0 schema requires of the objects we write, and the types of what else we put there. */
const message = z.strictObject({ text: z.string().min(1) });
const physicalLocation = z.strictObject({
  artifactLocation: z.strictObject({ uri: z.string().refine((uri) => URL.canParse(uri, 'file:///')) }),
  region: z.strictObject({ startLine: z.int().min(1), startColumn: z.int().min(1) }).optional(),
});
const level = z.enum(['none', 'note', 'warning', 'error']);
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z.tuple([
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.string().min(1),
          rules: z.array(
            z.strictObject({ id: z.string().min(1), shortDescription: message.optional(), helpUri: z.url() }),
          ),
        }),
      }),
      columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
      invocations: z.array(
        z.strictObject({
          executionSuccessful: z.boolean(),
          toolExecutionNotifications: z.array(
            z.strictObject({ level, message, locations: z.array(z.strictObject({ physicalLocation })) }),
          ),
        }),
      ),
      results: z.array(
        z.strictObject({
          ruleId: z.string().min(1),
          ruleIndex: z.int().min(0),
          level,
          message,
          locations: z.array(z.strictObject({ physicalLocation })),
        }),
      ),
    }),
  ]),
});

describe('SARIF', () => {
  it('has what the schema requires, each result with its rule', async () => {
    const { out } = await run([at('twiml'), at('none of it.xml'), `${server.url}/json`], { format: 'sarif' });
    const [{ results, tool, invocations }] = sarif.parse(JSON.parse(out)).runs;
    expect(results.map(({ ruleId, level }) => `${level} ${ruleId}`)).toEqual([
      'warning 13510',
      'error 12100',
      'error 12300',
    ]);
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    expect(invocations).toMatchObject([{ executionSuccessful: false, toolExecutionNotifications: [{}] }]);
  });

  it('names files by URIs, relative where their paths are', async () => {
    const { out } = await run(
      ['-', at('none of it.xml'), 'not here/50%.xml'],
      { format: 'sarif' },
      { stdin: NOTED },
    );
    const [{ results, invocations }] = sarif.parse(JSON.parse(out)).runs;
    expect(results[0]?.locations[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: 'stdin' },
      region: { startLine: 1, startColumn: 11 },
    });
    const lost = invocations[0]?.toolExecutionNotifications.map(
      ({ locations }) => locations[0]?.physicalLocation.artifactLocation.uri,
    );
    expect(lost).toEqual([
      expect.stringMatching(/^file:\/\/\/.*none%20of%20it\.xml$/),
      'not%20here/50%25.xml',
    ]);
  });

  it('is a whole log without any result', async () => {
    const { out } = await run([at('good.xml')], { format: 'sarif' });
    expect(sarif.parse(JSON.parse(out)).runs[0].results).toEqual([]);
  });
});
