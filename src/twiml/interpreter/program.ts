import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import { msOfSamples } from '../../media/frame.ts';
import { documentKind } from '../../webhook/document-kind.ts';
import type { WebhookResponse } from '../../webhook/port.ts';
import { decodeBody } from '../document/decode.ts';
import type { TwimlElement } from '../document/element.ts';
import { parseDocument } from '../document/parse.ts';
import type { Step } from '../verbs/call-scope.ts';
import { proceed } from '../verbs/call-scope.ts';
import { readVerbs } from '../verbs/registry.ts';
import { say } from '../verbs/say.ts';
import { LastRead } from './last-read.ts';
import type { AudioLibrary, StoredDocument } from './world.ts';

/** What a document amounts to: verbs to run, and what the customer should know about it. */
export type Program =
  | { readonly ok: true; readonly steps: readonly Step[]; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** Our choice, of what an application answers again and again. What is made of a text takes some times as much memory. */
const REMEMBERED_CHARACTERS = 256 * 1024;

/** By address and text. A program is never changed: whatever happens in a call is kept elsewhere. */
const lastRead = new LastRead<Extract<Program, { readonly ok: true }>>(REMEMBERED_CHARACTERS);

/** A response as it is kept in checkpoints; a diagnostic when its type cannot be used or its bytes are no text. */
export function storeDocument(
  response: WebhookResponse,
  requestedUrl: string,
  purpose: 'document' | 'fallback',
): StoredDocument | Diagnostic {
  const { url, contentType, charset, body } = response;
  const about = { url, requestedUrl, purpose, contentType };
  const kind = documentKind(response);
  if (kind === 'audio') return { ...about, body: body.toString('latin1') };
  // Before its bytes are looked at: an archive is no broken XML.
  if (kind !== 'twiml' && kind !== 'text') return kind;
  const decoded = decodeBody(body, url, charset);
  return decoded.ok ? { ...about, body: decoded.text } : decoded.diagnostic;
}

/**
 * Reads a document by its content type: TwiML; audio, which is played before hanging up; text, which is TwiML if it
 * parses and else spoken before hanging up (reference §3.2). Any other type is 12300.
 */
export async function readProgram(document: StoredDocument, audio: AudioLibrary): Promise<Program> {
  const kind = documentKind(document);
  if (kind === 'audio') return audioProgram(document, audio);
  if (kind === 'text') return textProgram(document);
  if (kind !== 'twiml') return { ok: false, diagnostic: kind };
  return readTwiml(document);
}

function readTwiml({ url, body }: StoredDocument): Program {
  const key = `${url}\n${body}`;
  const known = lastRead.find(key);
  if (known) return known;
  const parsed = parseDocument(body, url);
  if (!parsed.ok) return parsed;
  const read = { ok: true, ...readVerbs(parsed.root, url) } as const;
  lastRead.keep(key, read);
  return read;
}

async function audioProgram(document: StoredDocument, audio: AudioLibrary): Promise<Program> {
  const clip = await audio.decode(Buffer.from(document.body, 'latin1'), document.contentType);
  if ('code' in clip) return { ok: false, diagnostic: { url: document.url, ...clip } };
  const step: Step = {
    name: 'Play',
    position: { line: 1, column: 1 },
    detail: document.url,
    async run(call, signal) {
      await call.answer();
      const duration_ms = msOfSamples(clip.pcm.length);
      call.world.timeline.add({ type: 'media', url: document.url, duration_ms });
      await call.world.leg.play(clip, signal);
      return proceed;
    },
  };
  return { ok: true, steps: [step], diagnostics: [] };
}

function textProgram(document: StoredDocument): Program {
  const read = readTwiml(document);
  if (read.ok) return read;
  if (document.body.trim() === '') {
    const message = 'The response is empty; send TwiML, or the text to speak.';
    return { ok: false, diagnostic: diagnose(12100, message, { url: document.url }) };
  }
  const spoken: TwimlElement = {
    name: 'Say',
    attributes: new Map(),
    children: [{ text: document.body, position: { line: 1, column: 1 } }],
    position: { line: 1, column: 1 },
    end: { line: 1, column: 1 },
  };
  const diagnostics: Diagnostic[] = [];
  const step = say.read(spoken, {
    url: document.url,
    within: 'Response',
    report: (found) => diagnostics.push(found),
  });
  return { ok: true, steps: [step], diagnostics };
}
