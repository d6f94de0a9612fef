import type { CallOrder, OrderedDocument, OrderReply } from '../call/orders.ts';
import type { TimelineSink } from '../call/timeline.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Leg } from '../leg/port.ts';
import { startRecording } from '../twiml/interpreter/ordered-recording.ts';
import type { CallRecordingDesk } from './recording-desk.ts';

/** A live call as the API commands it. */
export interface OrderableCall {
  readonly callSid: string;
  readonly leg: Leg;
  /** Answered, and not over. */
  readonly inProgress: boolean;
  readonly desk: CallRecordingDesk | undefined;
  readonly timeline: TimelineSink & { report(diagnostic: Diagnostic): void };
  /** Only of a call in progress; false when it cannot go on with another document. */
  redirect(document: OrderedDocument): boolean;
  /** Ends it whatever its state. */
  end(): void;
}

/** The live calls of a worker, by CallSid, and what the API asks of them. */
export class CallDirectory {
  readonly #calls = new Map<string, OrderableCall>();

  get size(): number {
    return this.#calls.size;
  }

  /** Lets orders reach a call; returns how to take it out again. */
  enter(call: OrderableCall): () => void {
    this.#calls.set(call.callSid, call);
    return () => {
      if (this.#calls.get(call.callSid) === call) this.#calls.delete(call.callSid);
    };
  }

  async handle(order: CallOrder): Promise<OrderReply> {
    const call = this.#calls.get(order.callSid);
    if (!call) {
      return { ok: false, reason: 'gone', message: `no call ${order.callSid} is live at this worker` };
    }
    switch (order.kind) {
      case 'end':
        if (order.status === 'canceled' && call.inProgress) return wrongState(order, 'it was answered');
        call.end();
        return { ok: true };
      case 'redirect':
        if (!call.inProgress) return wrongState(order, 'it is not in progress');
        if (!call.redirect(order.document)) return wrongState(order, 'it executes no document');
        for (const warning of order.warnings ?? []) call.timeline.report(warning);
        return { ok: true };
      case 'start-recording': {
        if (!call.inProgress || !call.desk) return wrongState(order, 'it is not in progress');
        const recordingSid = await startRecording(call, call.desk, order.recording, 'StartCallRecordingAPI');
        return { ok: true, recordingSid };
      }
      case 'change-recording':
        return (await call.desk?.change(order))
          ? { ok: true }
          : wrongState(order, `no recording ${order.recordingSid} of it is running`);
    }
  }
}

function wrongState({ callSid }: CallOrder, why: string): OrderReply {
  return { ok: false, reason: 'wrong-state', message: `call ${callSid}: ${why}` };
}
