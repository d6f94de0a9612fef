import type { Request } from 'express';

/** Who makes a request: an account by its auth token, or one of its API keys. */
export interface Identity {
  readonly accountSid: string;
  /** Undefined: an auth token, which may do more than a key. */
  readonly keySid: string | undefined;
}

const identities = new WeakMap<Request, Identity>();
const accounts = new WeakMap<Request, string>();

/** Says who makes a request, once that is proven; until its path says otherwise it is for that account. */
export function assignIdentity(req: Request, identity: Identity): void {
  identities.set(req, identity);
  accounts.set(req, identity.accountSid);
}

/** Who makes the request. */
export function identityOf(req: Request): Identity {
  const identity = identities.get(req);
  if (identity === undefined) throw new Error(`${req.originalUrl} was not authenticated`);
  return identity;
}

/** Says for which account a request is: that of its path, else the one that asks. */
export function assignAccount(req: Request, accountSid: string): void {
  accounts.set(req, accountSid);
}

/** The account a request is for. Resources read, write and list nothing of any other. */
export function accountOf(req: Request): string {
  const accountSid = accounts.get(req);
  if (accountSid === undefined) throw new Error(`${req.originalUrl} was not authenticated`);
  return accountSid;
}
