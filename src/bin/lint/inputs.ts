import { createReadStream, type Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { decodeBody } from '../../twiml/document/decode.ts';
import { MAX_DOCUMENT_BYTES } from '../../twiml/document/parse.ts';
import type { LintDiagnostic } from '../../twiml/lint/lint-diagnostic.ts';
import type { WebhookMethod } from '../../webhook/port.ts';
import { fetchDocument } from './fetch-document.ts';

/** A document to judge, or why there is none. */
export type LintInput =
  | {
      readonly name: string;
      readonly text: string;
      /** Where it is served, when that is known. */
      readonly url?: string;
      /** What made it unusable before anybody read its text. */
      readonly fault?: readonly LintDiagnostic[];
      /** What is wrong with the way it is sent, beside what its text says. */
      readonly sent?: readonly LintDiagnostic[];
    }
  | { readonly name: string; readonly why: string };

export interface InputOptions {
  readonly stdin: Readable;
  readonly method: WebhookMethod;
}

/** The documents of the inputs, in their order; those of a directory by their path. */
export async function* readInputs(
  inputs: readonly string[],
  { stdin, method }: InputOptions,
): AsyncGenerator<LintInput> {
  for (const input of inputs) {
    if (input === '-') yield await readStream('stdin', stdin);
    else if (/^https?:\/\//i.test(input)) yield await fetchDocument(input, method);
    else yield* readPath(input);
  }
}

/** What is larger is no document, and is not read into memory: a document of 64 KB is judged, and so is ten times that. */
const MOST_BYTES = 16 * MAX_DOCUMENT_BYTES;

const tooLarge = (bytes: string) =>
  `it has ${bytes} bytes; a TwiML document may have at most ${MAX_DOCUMENT_BYTES}`;

async function readStream(name: string, stream: Readable): Promise<LintInput> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > MOST_BYTES) return { name, why: tooLarge(`more than ${MOST_BYTES}`) };
  }
  return documentOf(name, Buffer.concat(chunks));
}

async function* readPath(path: string): AsyncGenerator<LintInput> {
  const found = await attempt(path, () => stat(path));
  if ('why' in found) yield found;
  else if (found.isDirectory()) yield* readDirectory(path);
  else if (found.size > MOST_BYTES) yield { name: path, why: tooLarge(`${found.size}`) };
  else if (!found.isFile()) {
    // A pipe or a device has no size: <(curl …), /dev/stdin.
    yield await attempt(path, () => readStream(path, createReadStream(path)));
  } else {
    const body = await attempt(path, () => readFile(path));
    yield 'why' in body ? body : documentOf(path, body);
  }
}

async function* readDirectory(directory: string): AsyncGenerator<LintInput> {
  const entries = await attempt(directory, () =>
    readdir(directory, { recursive: true, withFileTypes: true }),
  );
  if ('why' in entries) return yield entries;
  const files = entries.filter(isDocument).map(({ parentPath, name }) => join(parentPath, name));
  if (files.length === 0) yield { name: directory, why: 'the directory has no *.xml and no *.twiml in it' };
  for (const file of files.sort()) yield* readPath(file);
}

/** Our choice: what other programs keep beside documents is not looked into. */
const SKIPPED = /(?:^|[\\/])(?:node_modules|\.[^./\\][^\\/]*)(?:[\\/]|$)/;

function isDocument(entry: Dirent): boolean {
  return (
    entry.isFile() &&
    /\.(?:xml|twiml)$/i.test(entry.name) &&
    !SKIPPED.test(join(entry.parentPath, entry.name))
  );
}

/** @param charset of its Content-Type, where it was served with one */
export function documentOf(name: string, body: Buffer, url = '', charset?: string): LintInput {
  const decoded = decodeBody(body, url, charset);
  const served = url === '' ? {} : { url };
  if (decoded.ok) {
    const { text, disagreement } = decoded;
    if (!disagreement) return { name, text, ...served };
    const sent = [
      { code: 'encoding-disagrees', level: 'warning', docs: RFC_7303, ...disagreement, ...served },
    ] as const;
    return { name, text, ...served, sent };
  }
  return { name, text: '', ...served, fault: [asFault(decoded.diagnostic)] };
}

const RFC_7303 = 'https://www.rfc-editor.org/rfc/rfc7303#section-3.2';

/** What concerns the whole document. */
export function asFault({ url, ...diagnostic }: Diagnostic): LintDiagnostic {
  return { line: 1, column: 1, ...diagnostic, ...(url && { url }) };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'it may not be read (permission denied)',
  EISDIR: 'it is a directory',
  EMFILE: 'too many files are open',
};

/** What `work` makes; for an error of the system, why it cannot be read. */
async function attempt<T extends object>(
  name: string,
  work: () => Promise<T>,
): Promise<T | { readonly name: string; readonly why: string }> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return { name, why: REASONS[String(error.code)] ?? error.message };
  }
}
