import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '../../..');

/** A fenced block of the README. */
interface Block {
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = [
  ...readFileSync(join(projectRoot, 'README.md'), 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm),
].map(([, language = '', text = '']) => ({ language, text }));

/** The commands of its shell blocks in order, each as one line would be typed: continuations joined, no comments. */
export function shellCommands(): string[] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll(/\s*\\\n\s*/g, ' ').split('\n'))
    .map((line) => line.replace(/\s+#\s.*$/, '').trim())
    .filter((line) => line !== '');
}

/** The one block of this language that contains `words`. */
export function block(language: string, words: string): string {
  const found = blocks.filter((one) => one.language === language && one.text.includes(words));
  if (found.length !== 1) throw new Error(`${found.length} blocks of README.md contain "${words}"`);
  return found[0]?.text ?? '';
}
