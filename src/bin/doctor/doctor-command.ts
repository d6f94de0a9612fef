import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Installation } from '../../compose/installation.ts';
import { examine } from './examine.ts';
import { findingJson, findingText } from './finding.ts';

export interface DoctorIo {
  readonly stdin: Readable;
  readonly stdout: { write(text: string): unknown };
  readonly installation: Installation;
}

/**
 * `trunkline doctor`: which edge and which Region a host, SIP URI, number or credential means, why, and what is wrong.
 * `-` reads it from the first line of standard input: a secret on a command line is seen by every user of a machine.
 *
 * @returns the exit code: 0 when nothing is wrong, else 1
 */
export async function doctorCommand(argument: string, json: boolean, io: DoctorIo): Promise<number> {
  const text = (argument === '-' ? await firstLine(io.stdin) : argument).trim();
  const finding = await examine(text, io.installation);
  io.stdout.write(json ? findingJson(finding) : findingText(finding));
  return finding.problems.length === 0 ? 0 : 1;
}

async function firstLine(input: Readable): Promise<string> {
  for await (const line of createInterface({ input })) return line;
  return '';
}
