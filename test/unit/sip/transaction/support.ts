import type { SipHeaders, SipResponse } from '../../../../src/sip/message/message.ts';
import type { ClientTold, Effect, ServerTold } from '../../../../src/sip/transaction/effect.ts';

const noHeaders: SipHeaders = {
  get: () => undefined,
  all: () => [],
  list: () => [],
  has: () => false,
  lines: [],
};

export function response(status: number): SipResponse {
  return { kind: 'response', status, phrase: '', headers: noHeaders, body: '' };
}

/** Effects as the figures write them: `send INVITE, arm A 500, disarm B, tell 200, terminate`. */
export function show(effects: readonly Effect<ClientTold | ServerTold>[]): string {
  return effects.map(one).join(', ');
}

function one(effect: Effect<ClientTold | ServerTold>): string {
  switch (effect.kind) {
    case 'send':
      return `send ${effect.message}`;
    case 'arm':
      return `arm ${effect.timer} ${effect.ms}`;
    case 'disarm':
      return `disarm ${effect.timer}`;
    case 'tell':
      return `tell ${effect.event.kind === 'response' ? effect.event.response.status : effect.event.kind}`;
    case 'terminate':
      return 'terminate';
  }
}
