import type { Request } from 'express';

const accounts = new WeakMap<Request, string>();

/** Says, once it is authenticated, for which account a request is: that of its path, else the one that asks. */
export function assignAccount(req: Request, accountSid: string): void {
  accounts.set(req, accountSid);
}

/** The account a request is for. Resources read, write and list nothing of any other. */
export function accountOf(req: Request): string {
  const accountSid = accounts.get(req);
  if (accountSid === undefined) throw new Error(`${req.originalUrl} was not authenticated`);
  return accountSid;
}
