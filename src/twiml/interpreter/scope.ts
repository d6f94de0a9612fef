import { attemptEntry, callbackEntries } from '../../call/attempt-entry.ts';
import { standardParameters } from '../../call/facts.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import type { TwimlCode } from '../../core/error-catalogue.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import { withoutSecrets } from '../../core/secrets.ts';
import { LegEnded } from '../../leg/port.ts';
import type { WebhookAttempt, WebhookRequest } from '../../webhook/port.ts';
import type { Position } from '../document/element.ts';
import type { CallScope, DocumentRequest, Outcome, Step, Transfer } from '../verbs/call-scope.ts';
import type { ChildCall } from '../verbs/ports.ts';
import { storeDocument } from './program.ts';
import type { CallWorld, StoredDocument } from './world.ts';

/** What a document is asked for. */
export type DocumentPurpose = 'document' | 'fallback';

const NO_DOCUMENT: StoredDocument = { url: '', contentType: '', body: '' };

/** Runs a document on a called party: whether it shall be connected. */
export type Screening = (child: ChildCall, request: DocumentRequest, signal: AbortSignal) => Promise<boolean>;

/** A verb that waits for what its transfer brings, and where its document goes on behind it. */
export interface WaitingVerb {
  readonly transfer: Transfer;
  readonly document: StoredDocument;
  readonly steps: readonly Step[];
  readonly index: number;
}

interface ScopeOptions {
  readonly screening: Screening;
  /** Sent with every request. */
  readonly standing?: Readonly<Record<string, string>>;
  /** Verbs that end the call's document with a code. */
  readonly forbidden?: ReadonlyMap<string, TwimlCode>;
}

/** The call as its verbs see it, and what the interpreter remembers between them. */
export class CallScopeOf implements CallScope {
  readonly world: CallWorld;
  /** Of the document that is fetched or runs. */
  signal: AbortSignal;
  document: StoredDocument = NO_DOCUMENT;
  /** What the document being fetched or run was asked for. */
  purpose: DocumentPurpose = 'document';
  /** Asked when a document fails; '' for none. */
  fallback: Pick<DocumentRequest, 'url' | 'method'>;
  /** The top-level verb that is running. */
  running: string | undefined;
  answered: boolean;
  /** Documents since the caller last heard or waited for something. */
  silentDocuments = 0;
  waiting: WaitingVerb | undefined;
  readonly #callbacks = new Set<Promise<void>>();
  readonly #options: ScopeOptions;

  constructor(world: CallWorld, signal: AbortSignal, options: ScopeOptions) {
    this.world = world;
    this.signal = signal;
    this.#options = options;
    this.answered = world.answered ?? world.leg.state === 'answered';
    this.fallback = { url: world.config.voiceFallbackUrl, method: world.config.voiceFallbackMethod };
  }

  get baseUrl(): string {
    return this.document.url;
  }

  get documentUrl(): string {
    return this.document.requestedUrl ?? this.document.url;
  }

  /**
   * Counts one more document. Our choice: a limit on those that follow each other without the caller hearing or
   * waiting for anything. It ends redirect loops; loops that play or gather go on for as long as the caller stays.
   */
  isLooping(): boolean {
    const { silentDocuments } = this.world.choices;
    return ++this.silentDocuments > silentDocuments && silentDocuments > 0;
  }

  enter(document: StoredDocument): void {
    this.document = document;
    this.purpose = document.purpose ?? 'document';
    this.running = undefined;
  }

  async answer(): Promise<void> {
    if (this.world.leg.state !== 'ringing') return;
    await this.world.leg.answer();
    this.answered = true;
    this.world.timeline.add({ type: 'answered' });
  }

  resolve(reference: string, { line, column }: Position): string | Diagnostic {
    if (this.document.url === '') return resolveWithoutBase(reference, { line, column });
    try {
      return new URL(reference, this.document.url).href;
    } catch {
      const message = `line ${line}, column ${column}: "${reference.slice(0, 100)}" is no usable URL; write an absolute one or one relative to ${this.document.url}.`;
      return diagnose(11100, message, { url: this.document.url, line, column, actual: reference });
    }
  }

  /** Why the verb may not run here, where it may not. */
  refuse({ name, position: { line, column } }: Step): Diagnostic | undefined {
    const code = this.#options.forbidden?.get(name);
    if (code === undefined) return undefined;
    const message = `line ${line}, column ${column}: <${name}> is not allowed in a document that runs on a called party; the party is hung up.`;
    return diagnose(code, message, { url: this.document.url, line, column, actual: name });
  }

  screen(child: ChildCall, request: DocumentRequest, signal: AbortSignal): Promise<boolean> {
    return this.#options.screening(child, request, signal);
  }

  async connected(): Promise<void> {
    const waiting = this.waiting;
    this.waiting = undefined;
    await waiting?.transfer.connected();
  }

  async abandonWaiting(): Promise<void> {
    const waiting = this.waiting;
    this.waiting = undefined;
    await waiting?.transfer.abandoned();
  }

  async run(step: Step, signal: AbortSignal): Promise<Outcome> {
    const { name: verb, position, detail } = step;
    const outer = this.running;
    this.running = verb;
    const { timeline } = this.world;
    timeline.add({ type: 'verb-started', verb, ...position, ...(detail !== undefined && { detail }) });
    try {
      const outcome = await step.run(this, signal);
      timeline.add({ type: 'verb-ended', verb, outcome: describe(outcome) });
      this.running = outer;
      return outcome;
    } catch (error) {
      timeline.add({ type: 'verb-ended', verb, outcome: 'interrupted' });
      if (!this.signal.aborted) this.running = outer; // the call goes on: a key cut a prompt short
      throw error;
    }
  }

  /** Requests a document: as kept in checkpoints, or why there is none. */
  async fetch(request: DocumentRequest, purpose: DocumentPurpose): Promise<StoredDocument | Diagnostic> {
    this.purpose = purpose;
    const status = this.answered ? 'in-progress' : 'ringing';
    const { standing } = this.#options;
    const params = { ...standardParameters(this.world.facts, status), ...standing, ...request.params };
    const result = await this.world.webhooks.fetch({ ...request, params, purpose }, this.signal);
    this.#record(result.attempts, purpose);
    if (!result.ok) return { url: withoutSecrets(request.url), ...result.diagnostic };
    return storeDocument(result.response, request.url, purpose);
  }

  async notify(request: DocumentRequest): Promise<void> {
    const { reason } = this.signal;
    // Whoever owns the call now makes its requests.
    if (reason instanceof LegEnded && reason.cause === 'epoch-lost') return;
    const params = { ...standardParameters(this.world.facts, 'completed'), ...request.params };
    const lasting = new AbortController().signal; // the call's own signal may have been aborted already
    const result = await this.world.webhooks.fetch({ ...request, params, purpose: 'document' }, lasting);
    this.#record(result.attempts, 'document');
    if (!result.ok) this.world.report(result.diagnostic);
  }

  callBack(request: DocumentRequest, purpose: 'partial-result-callback'): Promise<void> {
    const told = this.#callBack(request, purpose).finally(() => this.#callbacks.delete(told));
    this.#callbacks.add(told);
    return told;
  }

  async #callBack(request: DocumentRequest, purpose: 'partial-result-callback'): Promise<void> {
    const params = { ...standardParameters(this.world.facts, 'in-progress'), ...request.params };
    const lasting = new AbortController().signal; // the session bounds its requests itself
    const result = await this.world.webhooks.fetch({ ...request, params, purpose }, lasting);
    for (const entry of callbackEntries(result, { purpose, params })) this.world.timeline.add(entry);
    if (result.ok && result.response.status < 400) return;
    const reason = result.ok ? `status ${result.response.status}` : result.diagnostic.message;
    const url = withoutSecrets(request.url);
    this.world.report(diagnose(15003, `the ${purpose} was not accepted: ${reason}`, { url }));
  }

  /** Somebody is still being told something. */
  get isCallingBack(): boolean {
    return this.#callbacks.size > 0;
  }

  /** Resolves when nobody is being told anything any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#callbacks);
  }

  #record(attempts: readonly WebhookAttempt[], purpose: WebhookRequest['purpose']): void {
    for (const attempt of attempts) this.world.timeline.add(attemptEntry(attempt, purpose));
  }
}

/** TwiML given to the API has no address: only absolute URLs mean anything in it. */
function resolveWithoutBase(reference: string, at: Position): string | Diagnostic {
  if (reference !== '' && URL.canParse(reference)) return new URL(reference).href;
  const where = `line ${at.line}, column ${at.column}: `;
  if (reference === '') {
    const message = `${where}the document was given as text and has no URL to be asked for again; write an absolute action.`;
    return diagnose(11100, message, { ...at, expected: 'an absolute URL' });
  }
  const message = `${where}"${reference.slice(0, 100)}" is relative, and the document was given as text and has no URL; write an absolute one.`;
  return diagnose(15004, message, { ...at, actual: reference, expected: 'an absolute URL' });
}

function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'redirect':
      return `redirect ${outcome.request.method} ${withoutSecrets(outcome.request.url)}`;
    case 'reject':
      return `reject ${outcome.reason}`;
    case 'failure':
      return `failure ${outcome.diagnostic.code}`;
    default:
      return outcome.kind;
  }
}
