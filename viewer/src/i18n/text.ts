/** Texts in the language of the view. Keys and their {parameters} are checked by the compiler. */

import type { Text } from '../api/documents';
import { view } from '../state/store';
import type { Language } from '../state/view';
import { en, type Key } from './en';
import { zh } from './zh';

type Slots<S extends string> = S extends `${string}{${infer P}}${infer Rest}` ? P | Slots<Rest> : never;
type Values<K extends Key> = [Slots<(typeof en)[K]>] extends [never]
  ? []
  : [Readonly<Record<Slots<(typeof en)[K]>, string | number>>];

const CATALOGUES: Readonly<Record<Language, Readonly<Record<Key, string>>>> = { zh, en };

/** The text of a key in the current language. */
export function t<K extends Key>(key: K, ...values: Values<K>): string {
  return fill(CATALOGUES[view.value.language][key], values[0] ?? {});
}

/** A server's text in the current language, in the other one where that is empty. */
export function pick(text: Text): string {
  return pickIn(text, view.value.language);
}

export function pickIn(text: Text, language: Language): string {
  return text[language] || text[language === 'zh' ? 'en' : 'zh'];
}

/** A number as the current language writes it. */
export function number(value: number, digits = 3): string {
  return formatNumber(value, view.value.language, digits);
}

/** A change with its sign. */
export function signed(value: number, digits = 3): string {
  return `${value > 0 ? '+' : value < 0 ? '−' : ''}${number(Math.abs(value), digits)}`;
}

export function formatNumber(value: number, language: Language, digits = 3): string {
  return new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en-GB', { maximumFractionDigits: digits }).format(value);
}

function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
