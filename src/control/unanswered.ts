import type { Diagnostic } from '../core/diagnostic.ts';
import type { CommandResult, InboundLink, OutgoingLink } from './link.ts';
import type { DialRequest, RefusalReason } from './protocol.ts';

export type ClaimAnswer = InboundLink | { readonly refused: RefusalReason };

export type DialAnswer = OutgoingLink | { readonly notDialled: Diagnostic };

export interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** One leg of a call as one worker owns it. */
export interface OwnedLeg {
  readonly callSid: string;
  readonly epoch: number;
}

export const callKey = ({ callSid, epoch }: OwnedLeg) => `${callSid}-${epoch}`;

/** What an edge process was asked and has not answered yet. */
export class Unanswered {
  readonly #claims = new Map<string, Settle<ClaimAnswer>>();
  readonly #dials = new Map<string, Settle<DialAnswer> & { readonly request: DialRequest }>();
  readonly #questions = new Map<number, Settle<boolean>>();
  readonly #commands = new Map<number, Settle<CommandResult>>();
  #nextId = 1;

  /** Claims that an answer is waited for that is not about a call held already. */
  get asks(): boolean {
    return this.#claims.size > 0 || this.#dials.size > 0 || this.#questions.size > 0;
  }

  hasClaim(leg: OwnedLeg): boolean {
    return this.#claims.has(callKey(leg));
  }

  hasDial(leg: OwnedLeg): boolean {
    return this.#dials.has(callKey(leg));
  }

  claim(leg: OwnedLeg): Promise<ClaimAnswer> {
    return new Promise((resolve, reject) => {
      this.#claims.set(callKey(leg), { resolve, reject });
    });
  }

  dial(leg: OwnedLeg, request: DialRequest): Promise<DialAnswer> {
    return new Promise((resolve, reject) => {
      this.#dials.set(callKey(leg), { resolve, reject, request });
    });
  }

  question(id: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#questions.set(id, { resolve, reject });
    });
  }

  command(id: number): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      this.#commands.set(id, { resolve, reject });
    });
  }

  /** Names the next question or command. */
  nextId(): number {
    return this.#nextId++;
  }

  takeClaim(leg: OwnedLeg): Settle<ClaimAnswer> | undefined {
    return take(this.#claims, callKey(leg));
  }

  takeDial(leg: OwnedLeg): (Settle<DialAnswer> & { readonly request: DialRequest }) | undefined {
    return take(this.#dials, callKey(leg));
  }

  takeQuestion(id: number): Settle<boolean> | undefined {
    return take(this.#questions, id);
  }

  takeCommand(id: number): Settle<CommandResult> | undefined {
    return take(this.#commands, id);
  }

  refuseClaims(refused: RefusalReason): void {
    for (const claim of this.#claims.values()) claim.resolve({ refused });
    this.#claims.clear();
  }

  /** No answer will come. @param forCommands what is said of those to calls that were held */
  rejectAll(error: Error, forCommands: Error): void {
    for (const { reject } of this.#commands.values()) reject(forCommands);
    const asked = [...this.#claims.values(), ...this.#dials.values(), ...this.#questions.values()];
    for (const { reject } of asked) reject(error);
    this.#commands.clear();
    this.#questions.clear();
    this.#claims.clear();
    this.#dials.clear();
  }
}

function take<K, T>(waiting: Map<K, T>, key: K): T | undefined {
  const asked = waiting.get(key);
  waiting.delete(key);
  return asked;
}
