/** Of what nobody listens to, the latest so many are kept: a peer may send without end. Our choice. */
const MOST_KEPT = 64;

/** One kind of event: what happens before anybody listens is told, in order, to the first who does. */
export class KeptEvent<Details extends readonly unknown[]> {
  #listener: ((...details: Details) => void) | undefined;
  readonly #kept: Details[] = [];

  get listener(): ((...details: Details) => void) | undefined {
    return this.#listener;
  }

  set listener(listener: ((...details: Details) => void) | undefined) {
    this.#listener = listener;
    if (listener) for (const details of this.#kept.splice(0)) listener(...details);
  }

  tell(...details: Details): void {
    if (this.#listener) {
      this.#listener(...details);
      return;
    }
    this.#kept.push(details);
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
  }
}
