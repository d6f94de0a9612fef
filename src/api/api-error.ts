/** Twilio's error body, the same in every product. */
export interface ErrorBody {
  readonly code: number;
  readonly message: string;
  readonly more_info: string;
  readonly status: number;
}

/**
 * A REST request that cannot be answered as asked: thrown by a resource, written by `answerError` as Twilio's
 * error body.
 * @see https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions
 */
export class ApiError extends Error {
  constructor(
    /** HTTP status. */
    readonly status: number,
    /** From Twilio's catalogue, https://www.twilio.com/docs/api/errors */
    readonly code: number,
    /** What was found, what was expected, what to do. */
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export function errorBody(status: number, code: number, message: string): ErrorBody {
  return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
}

/** 400 with the code of the offended rule. */
export function invalid(code: number, message: string): ApiError {
  return new ApiError(400, code, message);
}

/** 404: a path, or a SID that this Region does not have. */
export function notFound(message: string): ApiError {
  return new ApiError(404, 20404, message);
}

/** As Twilio words it, with the Region that looked: "not found" often means "in another Region". */
export function missing(path: string, region: string): ApiError {
  return notFound(`The requested resource ${path} was not found in ${region}`);
}
