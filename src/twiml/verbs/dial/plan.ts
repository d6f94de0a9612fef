import type { Diagnostic } from '../../../core/diagnostic.ts';
import type { CallScope, DocumentRequest } from '../call-scope.ts';
import type { VerbNode } from '../define-verb.ts';
import type { ApplicationTarget, DialOrder } from '../ports.ts';
import type { dialAttributes } from './attributes.ts';
import { callerIdOf, mayBeShown } from './caller-id.ts';
import type { Parties } from './party.ts';

export type DialNode = VerbNode<typeof dialAttributes, Parties>;

/** A party with its URLs resolved: ready to be called. */
export interface Invitation {
  readonly order: DialOrder;
  readonly screening: DocumentRequest | undefined;
  readonly sendDigits: string;
}

/** Whom to call, or a URL that is none: 11100, fatal as it is everywhere. */
export function invitationsOf(node: DialNode, call: CallScope): readonly Invitation[] | Diagnostic {
  const callerId = callerIdOf(node);
  const invitations: Invitation[] = [];
  for (const party of node.body.called) {
    if (!mayBeShown(callerId, party)) continue; // 13214 has been reported
    const { position, target, sendDigits } = party;
    const screening = party.screening && call.resolve(party.screening.url, position);
    const callback = party.statusCallback && call.resolve(party.statusCallback.url, position);
    const resolved = target.kind === 'application' ? resolveDocument(target, call) : target;
    for (const found of [screening, callback]) if (typeof found === 'object') return found;
    if ('code' in resolved) return resolved;
    invitations.push({
      order: {
        target: resolved,
        callerId,
        refused: party.refused,
        statusCallback:
          party.statusCallback && typeof callback === 'string'
            ? { ...party.statusCallback, url: callback }
            : null,
      },
      screening:
        party.screening && typeof screening === 'string'
          ? { url: screening, method: party.screening.method, params: {} }
          : undefined,
      sendDigits,
    });
  }
  return invitations;
}

function resolveDocument(target: ApplicationTarget, call: CallScope): ApplicationTarget | Diagnostic {
  if (!target.document) return target;
  const url = call.resolve(target.document.url, target.at);
  return typeof url === 'string' ? { ...target, document: { ...target.document, url } } : url;
}

/** How a party is named to people. */
export function nameOf({ target }: Pick<DialOrder, 'target'>): string {
  if (target.kind === 'application') return target.sid;
  return target.kind === 'number' ? target.number : target.uri;
}
