import { describe, expect, it } from 'vitest';
import { grammarOf, HypothesisReader, knownPhrases } from '../../../src/speech/pocketsphinx-text.ts';
import { maskProfanity } from '../../../src/speech/profanity.ts';

describe('hints for pocketsphinx', () => {
  it('are phrases of words that have a pronunciation, each once', () => {
    const words = new Set(['yes', 'please', "o'clock", 'no']);
    const hints = [
      'Yes, please!',
      'no',
      'NO',
      "o'clock",
      'xyzzy',
      'no xyzzy',
      '$OOV_CLASS_DIGIT_SEQUENCE',
      '',
      '42',
    ];
    expect(knownPhrases(hints, words)).toEqual(['yes please', 'no', "o'clock"]);
  });

  it('become a grammar of one or several of them', () => {
    expect(grammarOf(['yes please', 'no'])).toBe(
      '#JSGF V1.0;\ngrammar hints;\npublic <said> = ( yes please | no )+ ;\n',
    );
  });
});

describe('what pocketsphinx prints', () => {
  it('is read as the words, and how sure it is of them without silence and noise', () => {
    const seen: string[] = [];
    const reader = new HypothesisReader((text) => seen.push(text));
    for (const line of [
      'go ahead',
      '<s> 0.1 0.2 0.9',
      'go 0.2 0.3 0.5',
      'ahead(2) 0.3 0.4 1.000000',
      '</s> 0.4 0.5 1.0',
    ])
      reader.line(line);
    for (const line of ['', 'now', '<sil> 0.1 0.2 0.1', '[NOISE] 0.1 0.2 0.1', 'now 0.2 0.3 0.9'])
      reader.line(line);
    expect(seen).toEqual(['go ahead', 'go ahead now']);
    expect(reader.result()).toEqual({ text: 'go ahead now', confidence: 0.8 });
  });

  it('may be nothing', () => {
    expect(new HypothesisReader(() => {}).result()).toEqual({ text: '', confidence: undefined });
  });
});

describe('the profanity filter', () => {
  it('keeps the first letter of what offends, and leaves other words alone', () => {
    expect(maskProfanity('Damn it, that shitty Scunthorpe dickens')).toBe(
      'D*** it, that s***** Scunthorpe dickens',
    );
  });
});
