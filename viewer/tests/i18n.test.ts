/** Both catalogues say the same things, in their own language. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { en, type Key } from '../src/i18n/en';
import { zh } from '../src/i18n/zh';

const keys = Object.keys(en) as Key[];
const slots = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

describe('catalogues', () => {
  it('have the same keys', () => expect(Object.keys(zh).sort()).toEqual(keys.sort()));

  it.each(keys)('%s is said in both languages with the same parameters', (key) => {
    expect(en[key].trim()).not.toBe('');
    expect(zh[key].trim()).not.toBe('');
    expect(slots(zh[key])).toEqual(slots(en[key]));
  });

  it('hold no text that nothing shows', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file) && !file.startsWith('i18n'));
    const source = files.map((file) => readFileSync(`src/${file}`, 'utf8')).join('\n');
    expect(keys.filter((key) => !source.includes(`'${key}'`))).toEqual([]);
  });

  it('are Chinese where they are Chinese', () => {
    // A name, a file format, and the button that leads to English are the same in both.
    const same = keys.filter((key) => !/\p{Script=Han}/u.test(zh[key]));
    expect(same.sort()).toEqual(['card.source', 'language.switch', 'objects.of']);
    const chinese = keys.filter((key) => /\p{Script=Han}/u.test(en[key]));
    expect(chinese).toEqual(['language.switch']);
  });
});
