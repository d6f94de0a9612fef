/** Refusals that the same request may get past later, beside 5xx. */
const TRANSIENT_NAMES: ReadonlySet<string> = new Set([
  'SlowDown',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'TooManyRequests',
  'TooManyRequestsException',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'OperationAborted',
]);

/**
 * What the SDK threw, read once: an error of the service has a name and a status, one of the network has
 * neither, or a code of the system's.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export class S3Failure {
  readonly #name: string;
  readonly #status: number | undefined;
  readonly #message: string;

  constructor(error: unknown) {
    this.#name = error instanceof Error ? error.name : '';
    this.#message = error instanceof Error ? error.message : String(error);
    this.#status = statusOf(error);
  }

  get missing(): boolean {
    return this.#status === 404;
  }

  /** A missing object. A missing bucket is a failure; only HEAD cannot tell them apart. */
  get noSuchObject(): boolean {
    return this.#status === 404 && this.#name !== 'NoSuchBucket';
  }

  get alreadyOurs(): boolean {
    return this.#name === 'BucketAlreadyOwnedByYou';
  }

  /** Without a status there was no answer: the network, or the server, was away. A missing local file stays missing. */
  get retryable(): boolean {
    if (this.#status === undefined) return !this.#message.startsWith('ENOENT');
    return this.#status >= 500 || this.#status === 429 || TRANSIENT_NAMES.has(this.#name);
  }

  get description(): string {
    const status = this.#status === undefined ? 'no answer' : `status ${this.#status}`;
    return `${this.#name}: ${this.#message} (${status})`;
  }
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
