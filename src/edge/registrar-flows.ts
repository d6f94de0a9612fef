import type { Flow } from '../config/registrations.ts';
import type { RegionId } from '../region/region.ts';

/** An address that has a binding over a flow. */
interface Bound {
  readonly region: RegionId;
  readonly aor: string;
}

/**
 * Which addresses were registered over which open connections, so that the end of one is noted at once. Holds what
 * proven users registered, for as long as their connections live.
 */
export class ConnectedFlows {
  readonly #flows = new Map<string, { readonly flow: Flow; readonly bound: Map<string, Bound> }>();

  get size(): number {
    return this.#flows.size;
  }

  note(flow: Flow, bound: Bound): void {
    const known = this.#flows.get(keyOf(flow)) ?? { flow, bound: new Map<string, Bound>() };
    known.bound.set(`${bound.region} ${bound.aor}`, bound);
    this.#flows.set(keyOf(flow), known);
  }

  /** What was registered over it, which is forgotten. */
  take(flow: Flow): readonly Bound[] {
    const known = this.#flows.get(keyOf(flow));
    this.#flows.delete(keyOf(flow));
    return [...(known?.bound.values() ?? [])];
  }
}

const keyOf = ({ edge, transport, address, port }: Flow) => `${edge} ${transport} ${address} ${port}`;
