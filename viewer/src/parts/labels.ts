/** How objects and values are named: titles, code labels, units. Pure; the language is an argument. */

import type { Attributes, Collection, Property, Text } from '../api/documents';
import { formatNumber, pickIn } from '../i18n/text';
import type { Language } from '../state/view';

/** The name of an object in a language; its class where it has no name; else null. */
export function objectName(properties: Attributes, collection: Collection | undefined, language: Language): string | null {
  const names = language === 'zh' ? ['name', 'name_en'] : ['name_en', 'name'];
  for (const key of names) {
    const name = properties[key];
    if (typeof name === 'string' && name !== '') return name;
  }
  const label = classLabel(properties, collection);
  return label ? pickIn(label, language) : null;
}

/** Title of an object: its name, or the layer's title and its number. */
export function objectTitle(properties: Attributes, id: string, collection: Collection | undefined, language: Language): string {
  const name = objectName(properties, collection, language);
  if (name !== null) return name;
  return collection ? `${pickIn(collection.twin.title, language)} ${id}` : id;
}

/** What kind of thing an object is: the label of its finest code. */
export function classLabel(properties: Attributes, collection: Collection | undefined): Text | undefined {
  return codeOf(propertyOf(collection, 'code'), properties['code'], properties['scheme']) ?? codeOf(propertyOf(collection, 'class'), properties['class'], null);
}

function propertyOf(collection: Collection | undefined, name: string): Property | undefined {
  return collection?.twin.properties.find((property) => property.name === name);
}

/** The label of a code; of one that means something within its scheme only, "scheme:code". */
function codeOf(property: Property | undefined, value: unknown, scheme: unknown): Text | undefined {
  return property?.codes?.[String(value)] ?? property?.codes?.[`${String(scheme)}:${String(value)}`];
}

export interface AttributeRow {
  readonly name: string;
  readonly title: string;
  readonly unit: string | null;
  /** null: the object has no value. */
  readonly value: string | null;
  /** The code behind a code's label. */
  readonly code: string | null;
}

export interface ValueWords {
  readonly yes: string;
  readonly no: string;
  /** Titles of what every object has and no layer describes. */
  readonly titles: Readonly<Record<string, string>>;
  /** The zone in which moments are written, "Asia/Shanghai". */
  readonly timeZone: string;
}

/**
 * All attributes of an object: those the layer describes, in its order, then any others under their own names.
 * What the source had beyond the model comes nested, and is shown like the rest.
 */
export function attributeRows(
  properties: Attributes,
  collection: Collection | undefined,
  language: Language,
  words: ValueWords,
): AttributeRow[] {
  const described = collection?.twin.properties ?? [];
  const scheme = properties['scheme'];
  const known = new Set(described.map((property) => property.name));
  const rest = Object.entries(properties).flatMap(([name, value]) => (isNested(value) ? Object.entries(value) : [[name, value] as const]));
  return [
    ...described.map((property) => attributeRow(property.name, properties[property.name], property, scheme, language, words)),
    ...rest.filter(([name]) => !known.has(name)).map(([name, value]) => attributeRow(name, value, undefined, scheme, language, words)),
  ];
}

function isNested(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One attribute of an object as it is shown. */
export function attributeRow(name: string, value: unknown, property: Property | undefined, scheme: unknown, language: Language, words: ValueWords): AttributeRow {
  const label = codeOf(property, value, scheme);
  return {
    name,
    title: (property && pickIn(property.title, language)) || (words.titles[name] ?? name),
    unit: property?.unit ?? null,
    value: label ? pickIn(label, language) : formatValue(value, property, language, words),
    code: label ? String(value) : null,
  };
}

// Numbers that are names (years, ids, codes) are written without separators of thousands.
const UNGROUPED = /(^|_)(id|year|year_built|edition|code)$/;

function formatValue(value: unknown, property: Property | undefined, language: Language, words: ValueWords): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'boolean') return value ? words.yes : words.no;
  if (typeof value === 'number') return UNGROUPED.test(property?.name ?? '') ? String(value) : formatNumber(value, language);
  if (typeof value !== 'string') return JSON.stringify(value);
  return MOMENT.test(value) ? formatMoment(value, words.timeZone) : value;
}

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/;

/** "2020-01-01 08:30" in the zone; the day alone at midnight. Swedish writes dates as ISO 8601 does. */
function formatMoment(text: string, timeZone: string): string {
  const moment = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(new Date(text));
  return moment.replace(/ 00:00$/, '');
}
