/** A scenario's inputs as a form: what each field asks for, read from its JSON schema. Pure. */

import type { Attributes, Text } from '../../api/documents';
import type { Process, Schema } from '../../api/scenarios';

export type Asks =
  | { readonly kind: 'number'; readonly whole: boolean; readonly least: number | null; readonly most: number | null; readonly above: boolean; readonly slides: boolean }
  | { readonly kind: 'text' | 'file' | 'photo' | 'boolean' | 'moment' | 'box' | 'rows' | 'json' }
  | { readonly kind: 'names'; readonly numbers: boolean }
  | { readonly kind: 'choice'; readonly choices: readonly Choice[] }
  | { readonly kind: 'shape'; readonly shape: 'point' | 'linestring' | 'polygon' }
  /** among: the scenario of a run, or the kinds of sensors with commas between them; null: all. */
  | { readonly kind: 'pick'; readonly of: Picked; readonly among: string | null }
  | { readonly kind: 'list'; readonly fields: readonly Field[] };

export type Picked = 'run' | 'datastream' | 'layer';

export interface Choice {
  readonly value: string | number;
  readonly title: Text;
}

export interface Field {
  readonly name: string;
  readonly title: Text;
  readonly help: Text | null;
  readonly unit: string | null;
  readonly required: boolean;
  readonly initial: unknown;
  readonly asks: Asks;
  /** Values of other fields with which it matters; null: it always does. */
  readonly when: Readonly<Record<string, readonly unknown[]>> | null;
}

export interface Group {
  /** null: fields that belong to no group. */
  readonly title: Text | null;
  readonly fields: readonly Field[];
}

/** The fields in the order of the description, those of a group together. */
export function readForm(process: Pick<Process, 'inputs'>): readonly Group[] {
  const groups = new Map<string, { title: Text | null; fields: Field[] }>();
  for (const [name, { minOccurs, twin }] of Object.entries(process.inputs)) {
    const { schema } = twin;
    const title = schema['x-group'] ?? null;
    const key = title?.en ?? '';
    const group = groups.get(key) ?? { title, fields: [] };
    group.fields.push(readField(name, schema, minOccurs > 0));
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => Number(a.title !== null) - Number(b.title !== null));
}

export function readField(name: string, schema: Schema, required: boolean): Field {
  const help = schema['x-help'] ?? (schema.description ? { zh: schema.description, en: schema.description } : null);
  const core = { ...schema, ...(schema.anyOf?.find((each) => each.type !== 'null') ?? {}) };
  const asks = whatIsAsked(core, help);
  const title = schema['x-title'] ?? { zh: schema.title ?? name, en: schema.title ?? name };
  // Words that went into the choices are not said twice.
  const said = asks.kind === 'choice' && help !== null && !schema['x-choices'] && asks.choices.some(({ value }) => help.en.includes(`${value}:`)) ? null : help;
  return { name, title, help: said, unit: schema['x-unit'] ?? null, required, initial: schema.default, asks, when: schema['x-when'] ?? null };
}

const SHAPES = { point: 'point', line: 'linestring', polygon: 'polygon' } as const;
const PICKS: Readonly<Record<string, Picked>> = { run: 'run', datastream: 'datastream', gauge: 'datastream', layer: 'layer' };

function whatIsAsked(schema: Schema, help: Text | null): Asks {
  const widget = schema['x-widget'];
  if (schema.type === 'array') return whatArray(schema);
  if (widget === 'point' || widget === 'line' || widget === 'polygon') return { kind: 'shape', shape: SHAPES[widget] };
  const pick = widget === undefined ? undefined : PICKS[widget];
  if (pick !== undefined) return { kind: 'pick', of: pick, among: schema['x-of'] ?? null };
  const values = schema.enum ?? (schema['x-choices'] && Object.keys(schema['x-choices']));
  if (values) return { kind: 'choice', choices: values.filter(isPlain).map((value) => ({ value, title: schema['x-choices']?.[value] ?? choiceTitle(value, help) })) };
  if (schema.type === 'boolean') return { kind: 'boolean' };
  if (schema.type === 'number' || schema.type === 'integer') {
    const [least, most] = [schema.minimum ?? schema.exclusiveMinimum ?? null, schema.maximum ?? schema.exclusiveMaximum ?? null];
    return { kind: 'number', whole: schema.type === 'integer', least, most, above: schema.minimum === undefined, slides: widget === 'slider' && least !== null && most !== null };
  }
  if (schema.type === 'string') return { kind: widget === 'file' || widget === 'photo' ? widget : schema.format === 'date-time' ? 'moment' : 'text' };
  return { kind: 'json' };
}

function whatArray({ items, prefixItems }: Schema): Asks {
  if (prefixItems?.length === 4 && prefixItems.every((each) => each.type === 'number')) return { kind: 'box' };
  if (items?.prefixItems?.every((each) => each.type === 'number')) return { kind: 'rows' };
  if (items?.type === 'string' || items?.type === 'integer') return { kind: 'names', numbers: items.type === 'integer' };
  if (items?.properties) {
    const needed = items.required ?? [];
    return { kind: 'list', fields: Object.entries(items.properties).map(([name, schema]) => readField(name, schema, needed.includes(name))) };
  }
  return { kind: 'json' };
}

function isPlain(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** What a choice means, where the help says it as "code: meaning; code: meaning"; else its code. */
export function choiceTitle(value: string | number, help: Text | null): Text {
  const code = String(value).replaceAll('_', ' ');
  const told = (text: string | undefined): string => new RegExp(`(?:^|[;；])\\s*${escaped(String(value))}\\s*[:：]\\s*([^;；]+)`).exec(text ?? '')?.[1]?.trim() ?? code;
  return { zh: told(help?.zh), en: told(help?.en) };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** What to send: that which was given, and differs from what stands without it. */
export function inputsOf(groups: readonly Group[], values: Attributes): Attributes {
  const fields = groups.flatMap(({ fields: own }) => own);
  const given = fields.filter((field) => isGiven(field, values) && matters(field, fields, values));
  return Object.fromEntries(given.map(({ name }) => [name, values[name]]));
}

/** Whether a field makes a difference, by what the others say. */
export function matters({ when }: Field, fields: readonly Field[], values: Attributes): boolean {
  return Object.entries(when ?? {}).every(([name, wanted]) => wanted.includes(values[name] ?? fields.find((field) => field.name === name)?.initial));
}

/** Whether a field says something of its own. */
export function isGiven({ name, initial, required }: Field, values: Attributes): boolean {
  const value = values[name];
  return value !== undefined && (required || JSON.stringify(value) !== JSON.stringify(initial));
}

/** A number that a field does not take, and which it would. */
export interface Beyond {
  readonly than: 'scenario.above' | 'scenario.least' | 'scenario.most';
  readonly value: number;
}

/** What is wrong with a number; null: nothing that is known here. */
export function beyond({ asks }: Field, value: unknown): Beyond | null {
  if (asks.kind !== 'number' || typeof value !== 'number') return null;
  const { least, most, above } = asks;
  if (least !== null && (above ? value <= least : value < least)) return { than: above ? 'scenario.above' : 'scenario.least', value: least };
  return most !== null && value > most ? { than: 'scenario.most', value: most } : null;
}

/** The words of a refusal by the field they belong to; those of no field stand under "". */
export function faultsOf(detail: string, names: readonly string[]): Readonly<Record<string, string>> {
  const faults: Record<string, string> = {};
  let last = '';
  for (const part of detail.split(/;\s+/)) {
    const [, path = '', words = part] = /^(?:inputs:\s*(?:Value error,\s*)?)?([\w.]+):\s*(.*)$/s.exec(part) ?? [];
    const [name = '', ...inner] = path.split('.');
    const own = names.includes(name);
    if (own) last = name;
    const text = own ? [...inner.filter((each) => !/^\d+$/.test(each)), words].join(': ') : part;
    faults[last] = faults[last] === undefined ? text : `${faults[last]}; ${text}`;
  }
  return faults;
}

/** Rows of numbers as text, one a line, and back; null where a line is no row. */
export function writeRows(rows: unknown): string {
  return Array.isArray(rows) ? rows.map((row: unknown) => (Array.isArray(row) ? row.join(' ') : '')).join('\n') : '';
}

export function readRows(text: string): number[][] | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const rows = lines.map((line) => line.trim().split(/[\s,，;\t]+/).map(Number));
  return rows.every((row) => row.length === 2 && row.every(Number.isFinite)) ? rows : null;
}
