import { EDGE_IDS, edgePort } from '../region/edge.ts';
import type { Credentials } from './credentials.ts';
import type { DemoNumber } from './demo-numbers.ts';
import { formatAddress, reachable } from './ports.ts';
import type { Settings } from './settings.ts';

/** What `npm start` ends with: what is needed to use it, and the line `ready`. */
export function startBanner(
  settings: Settings,
  credentials: Credentials,
  numbers: readonly DemoNumber[],
): string {
  const http = formatAddress(reachable(settings.http));
  const sipHost = settings.advertise ?? reachable(settings.sip).host;
  const sip = formatAddress({ host: sipHost, port: settings.sip.port });
  const last = edgePort(EDGE_IDS[EDGE_IDS.length - 1] ?? 'ashburn', settings.sip.port);
  const rows: [string, string][] = [['Account SID', credentials.accountSid]];
  for (const [region, token] of credentials.authTokens) rows.push([`Auth token ${region}`, token]);
  for (const { phoneNumber, region } of numbers)
    rows.push([`Demo number`, `${phoneNumber}  answered by Region ${region}`]);
  rows.push(
    [
      'Softphone',
      `dial sip:${numbers[0]?.phoneNumber ?? '+<number>'}@${sip}  (edge ashburn; the other edges up to port ${last})`,
    ],
    ['REST API', `http://${http}`],
    ['Dashboard', `http://${http}/dashboard`],
    ['Queues', `http://${http}/dashboard/queues`],
    ['Data', settings.home],
  );
  const first = numbers[0]?.phoneNumber;
  const custom = settings.sip.host === '127.0.0.1' && settings.sip.port === 5060 ? '' : ` --sip ${sip}`;
  if (first) rows.push(['Place a call', `npx trunkline call ${first} --press 2 --hear heard.wav${custom}`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
  return `\nTrunkline\n${table}\n\nready sip:${sip} http://${http}\n`;
}
