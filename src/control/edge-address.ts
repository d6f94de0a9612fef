/** An edge process, as a job or the registry names it. */
export interface EdgeAddress {
  readonly process: string;
  readonly host: string;
  readonly port: number;
}

/** No authenticated connection to an edge process, or it went away before it answered. */
export class EdgeUnreachable extends Error {
  override readonly name = 'EdgeUnreachable';

  constructor(
    readonly edge: EdgeAddress,
    readonly reason: string,
  ) {
    super(`edge process ${edge.process} at ${edge.host}:${edge.port} cannot be reached: ${reason}`);
  }
}
