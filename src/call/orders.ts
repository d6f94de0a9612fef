import type { HttpMethod } from '../config/port.ts';
import type { Diagnostic } from '../core/diagnostic.ts';

/** What the REST API asks of the worker that runs a call. Addressed to the worker by name (queue/port.ts). */
export type CallOrder =
  /** The call goes on with another document. */
  | {
      readonly kind: 'redirect';
      readonly callSid: string;
      readonly document: OrderedDocument;
      /** What the customer should know of the request. Absent: nothing. */
      readonly warnings?: readonly Diagnostic[];
    }
  /** Ends it: one that rings is `canceled`, an answered one `completed`; `canceled` is refused then. */
  | { readonly kind: 'end'; readonly callSid: string; readonly status: 'canceled' | 'completed' }
  | { readonly kind: 'start-recording'; readonly callSid: string; readonly recording: OrderedRecording }
  | {
      readonly kind: 'change-recording';
      readonly callSid: string;
      readonly recordingSid: string;
      readonly status: 'paused' | 'in-progress' | 'stopped';
      readonly pauseBehavior: 'skip' | 'silence';
    };

export type OrderReply =
  | { readonly ok: true; readonly recordingSid?: string }
  /** `gone`: this worker does not run the call; `wrong-state`: the call is not in a state that permits it (21220). */
  | { readonly ok: false; readonly reason: 'gone' | 'wrong-state'; readonly message: string };

/** A document by address, or itself. */
export type OrderedDocument =
  | {
      readonly kind: 'url';
      readonly url: string;
      readonly method: HttpMethod;
      readonly fallbackUrl: string;
      readonly fallbackMethod: HttpMethod;
      /** Sent beside the standard parameters. Absent: nothing. */
      readonly params?: Readonly<Record<string, string>> | undefined;
    }
  | { readonly kind: 'twiml'; readonly twiml: string };

export interface OrderedCallback {
  readonly url: string;
  readonly method: HttpMethod;
  readonly events: readonly string[];
}

export interface OrderedRecording {
  readonly channels: 1 | 2;
  readonly track: 'inbound' | 'outbound' | 'both';
  readonly trim: boolean;
  readonly callback: OrderedCallback | null;
}

/**
 * A call that the REST API created: the journal of an `outbound-api` call until a worker has placed it.
 *
 * @see https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
 */
export interface OutboundOrder {
  readonly callSid: string;
  readonly accountSid: string;
  /** E.164, or a SIP URI with its parameters and headers as given. */
  readonly to: string;
  /** As given: a number, or for SIP targets any name. */
  readonly from: string;
  readonly document: OrderedDocument;
  readonly statusCallback: OrderedCallback | null;
  readonly timeoutMs: number;
  readonly timeLimitMs: number;
  /** Sent as keys once it is answered; '' for none. */
  readonly sendDigits: string;
  readonly recording: OrderedRecording | null;
  readonly credentials: { readonly username: string; readonly password: string } | null;
  /** Machine detection was asked for, which is not available: `unknown` is reported. */
  readonly machineDetection: boolean;
  /** A call that verifies a caller id: the code that is to be typed in it. Its last callback says whether it was. */
  readonly validationCode?: string | undefined;
}
