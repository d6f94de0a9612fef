import type { TimelineEvent } from '../../call/timeline.ts';
import type { RegionId } from '../../region/region.ts';
import type { Timelines } from '../comparable-timeline.ts';

/** A finished call and all that it dialled, as they are stored. */
export interface ExportedCall {
  readonly sid: string;
  readonly from: string;
  readonly to: string;
  readonly region: RegionId;
  readonly timelines: Timelines;
}

/** A call as the story of it is told. */
export interface ToldCall {
  readonly sid: string;
  readonly events: readonly TimelineEvent[];
  /** Undefined for the call that dialled the others. */
  readonly dialled: Extract<TimelineEvent, { type: 'dialled' }> | undefined;
  /** Undefined for a call that came in, and for those that were dialled. */
  readonly created: CreatedEvent | undefined;
}

export type CreatedEvent = Extract<TimelineEvent, { type: 'created' }>;

/** The call itself, then those that were dialled, in that order. */
export function callsOf({ sid, timelines }: ExportedCall): readonly ToldCall[] {
  const told = (of: string, dialled: ToldCall['dialled']): readonly ToldCall[] => {
    const events = timelines.get(of) ?? [];
    const children = events.filter((event) => event.type === 'dialled');
    const created = events.find((event) => event.type === 'created');
    return [{ sid: of, events, dialled, created }, ...children.flatMap((child) => told(child.call, child))];
  };
  const [root, ...dialled] = told(sid, undefined);
  const inOrder = dialled.toSorted((a, b) => (a.dialled?.at ?? '').localeCompare(b.dialled?.at ?? ''));
  return root ? [root, ...inOrder] : inOrder;
}

/** Milliseconds since the epoch. */
export const timeOf = ({ at }: Pick<TimelineEvent, 'at'>): number => Date.parse(at);
