import { z } from 'zod';
import { scenarioSchema } from './scenario.ts';

/** The JSON Schema of scenario.yaml, as editors read it: of what people write, so whatever has a default may be left out. */
export function scenarioJsonSchema(): string {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
