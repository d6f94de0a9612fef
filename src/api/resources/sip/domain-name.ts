import { TWILIO } from '../../../region/host-names.ts';
import { invalid } from '../../api-error.ts';
import type { Parameters } from '../../parameters.ts';

/** A SIP domain's name, read. */
export interface DomainName {
  /** As it was given: `Acme.sip.twilio.com`. */
  readonly domainName: string;
  /** The global key: `acme`, or `east.acme` for a sub-domain. */
  readonly name: string;
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/; // RFC 1035 §2.3.1
const LONGEST_NAME = 253; // RFC 1035 §2.3.4, as text

/**
 * Reads `DomainName`: labels of letters, digits and hyphens, and `sip.<base>` behind them.
 *
 * @param domain the configured base domain; `twilio.com` is understood in its place
 * @throws ApiError 21231
 */
export function readDomainName(form: Parameters, domain: string): DomainName | undefined {
  const domainName = form.text('DomainName');
  if (domainName === undefined) return undefined;
  const host = domainName.toLowerCase();
  const suffixes = [`.sip.${domain.toLowerCase()}`, `.sip.${TWILIO}`];
  const suffix = suffixes.find((each) => host.endsWith(each));
  const name = suffix === undefined ? '' : host.slice(0, -suffix.length);
  const refuse = (why: string) => invalid(21231, `Invalid DomainName '${domainName}': ${why}.`);
  if (name === '') throw refuse(`it must be a name that ends in ${suffixes[0]} or ${suffixes[1]}`);
  if (host.length > LONGEST_NAME) throw refuse(`it may have at most ${LONGEST_NAME} characters`);
  const wrong = name.split('.').find((label) => !LABEL.test(label));
  if (wrong === undefined) return { domainName, name };
  throw refuse(
    `'${wrong}' must be 1 to 63 letters, digits and hyphens, with neither a hyphen first nor last, in front of ${suffix}`,
  );
}

/** `acme` of `east.acme`; undefined when there is none. */
export function parentOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot < 0 ? undefined : name.slice(dot + 1);
}
