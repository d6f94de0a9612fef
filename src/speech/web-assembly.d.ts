/**
 * The part of the WebAssembly interface that is used here. TypeScript declares it in its DOM library alone, and
 * Node's types for version 20 leave it out.
 * @see https://webassembly.github.io/spec/js-api/
 */
declare namespace WebAssembly {
  class Module {
    private constructor();
  }

  class Memory {
    constructor(descriptor: { initial: number });
    /** Replaced by another one when the memory grows. */
    readonly buffer: ArrayBuffer;
  }

  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }

  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(
    module: Module,
    imports: Readonly<Record<string, Readonly<Record<string, (...args: never[]) => number>>>>,
  ): Promise<Instance>;
}
