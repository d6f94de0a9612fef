/** A promise whose work begins when somebody awaits it. */
export class Driven<T> implements PromiseLike<T> {
  readonly #work: () => Promise<T>;
  #promise: Promise<T> | undefined;

  constructor(work: () => Promise<T>) {
    this.#work = work;
  }

  // biome-ignore lint/suspicious/noThenProperty: this is what makes it one that can be awaited
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#promise ??= this.#work();
    return this.#promise.then(fulfilled, rejected);
  }
}
