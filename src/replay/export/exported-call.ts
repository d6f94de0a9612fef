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
  /** Undefined for the call that came in. */
  readonly dialled: Extract<TimelineEvent, { type: 'dialled' }> | undefined;
}

/** The call itself, then those that were dialled, in that order. */
export function callsOf({ sid, timelines }: ExportedCall): readonly ToldCall[] {
  const told = (of: string, dialled: ToldCall['dialled']): readonly ToldCall[] => {
    const events = timelines.get(of) ?? [];
    const children = events.filter((event) => event.type === 'dialled');
    return [{ sid: of, events, dialled }, ...children.flatMap((child) => told(child.call, child))];
  };
  const [root, ...dialled] = told(sid, undefined);
  const inOrder = dialled.toSorted((a, b) => (a.dialled?.at ?? '').localeCompare(b.dialled?.at ?? ''));
  return root ? [root, ...inOrder] : inOrder;
}

/** Milliseconds since the epoch. */
export const timeOf = ({ at }: Pick<TimelineEvent, 'at'>): number => Date.parse(at);
