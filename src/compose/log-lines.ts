import { z } from 'zod';

const line = z.object({
  level: z.union([z.number(), z.string()]).optional(),
  time: z.union([z.number(), z.string()]).optional(),
  msg: z.string().optional(),
  role: z.string().optional(),
  region: z.string().optional(),
  edge: z.string().optional(),
  CallSid: z.string().optional(),
});

const NAMES: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/**
 * Forwards the log lines of the supervised processes: as they are into a pipe or file, short for a person at a
 * terminal.
 */
export function lineWriter(out: NodeJS.WriteStream): (text: string) => void {
  if (!out.isTTY) return (text) => out.write(`${text}\n`);
  return (text) => out.write(`${shortLine(text)}\n`);
}

export function shortLine(text: string): string {
  let fields: z.infer<typeof line>;
  try {
    fields = line.parse(JSON.parse(text));
  } catch {
    return text; // not a log line of ours: shown as it is
  }
  const level =
    typeof fields.level === 'number' ? (NAMES[fields.level] ?? String(fields.level)) : fields.level;
  const time =
    typeof fields.time === 'number' ? new Date(fields.time).toISOString().slice(11, 23) : fields.time;
  const who = [fields.role, fields.region ?? fields.edge].filter(Boolean).join(' ');
  return [time, level, who, fields.CallSid, fields.msg].filter((part) => part).join('  ');
}
