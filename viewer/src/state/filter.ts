/** Conditions on a layer's objects: as a person builds them, as CQL2 (OGC 21-065r2), and as the share link holds them. */

import type { Position } from 'geojson';
import type { Property } from '../api/documents';

export const COMPARISONS = ['=', '<>', '<', '<=', '>', '>='] as const;
export const OPERATORS = [...COMPARISONS, 'contains', 'begins', 'in', 'empty', 'filled'] as const;

export type Comparison = (typeof COMPARISONS)[number];
export type Operator = (typeof OPERATORS)[number];
export type Value = string | number | boolean;

export interface Rule {
  readonly property: string;
  readonly operator: Operator;
  /** One value, several for "in", none for "empty" and "filled". */
  readonly values: readonly Value[];
}

/** Rules of which all or any must hold; a group may stand within another. */
export interface Group {
  readonly match: 'all' | 'any';
  readonly parts: readonly (Rule | Group)[];
}

export interface LayerFilter {
  readonly group: Group;
  /** A ring in degrees, its first place not repeated at the end; only what touches it. */
  readonly area: readonly Position[] | null;
  /** Only what touches the part of the city on the map; asked of lists and files, since the map shows no more anyway. */
  readonly inView: boolean;
}

export const NO_FILTER: LayerFilter = { group: { match: 'all', parts: [] }, area: null, inView: false };

/** Groups within groups that are read from a link. */
const DEEPEST = 4;
const MOST_PARTS = 40;
const MOST_PLACES = 200;

export function isGroup(part: Rule | Group): part is Group {
  return 'match' in part;
}

/** The operators that make sense for a property, the likeliest first. */
export function operatorsFor(property: Property): readonly Operator[] {
  if (property.codes) return ['=', '<>', 'in', 'empty', 'filled'];
  if (property.type === 'boolean') return ['=', 'empty', 'filled'];
  if (property.type === 'text') return ['=', '<>', 'contains', 'begins', 'empty', 'filled'];
  return [...COMPARISONS, 'empty', 'filled'];
}

export function takesValue(operator: Operator): boolean {
  return operator !== 'empty' && operator !== 'filled';
}

/** Whether a rule says something already. */
export function isComplete(rule: Rule): boolean {
  return !takesValue(rule.operator) || (rule.values.length > 0 && rule.values.every((value) => value !== ''));
}

/** How many rules of a filter say something; its area counts as one, and so does the view. */
export function countRules(filter: LayerFilter): number {
  const count = (group: Group): number => group.parts.reduce((sum, part) => sum + (isGroup(part) ? count(part) : Number(isComplete(part))), 0);
  return count(filter.group) + Number(filter.area !== null) + Number(filter.inView);
}

/** The filter as CQL2 text; null where it leaves everything. What is in view is asked for by a box, not by this. */
export function toCql2({ group, area }: LayerFilter): string | null {
  const rules = groupText(group);
  const place = area && `S_INTERSECTS(geometry, POLYGON((${[...area, area[0]].map((at) => at?.slice(0, 2).join(' ')).join(', ')})))`;
  if (rules === null || place === null) return rules ?? place;
  return `${group.match === 'any' && group.parts.length > 1 ? `(${rules})` : rules} AND ${place}`;
}

function groupText(group: Group): string | null {
  const parts = group.parts
    .map((part) => {
      if (!isGroup(part)) return isComplete(part) ? ruleText(part) : null;
      const text = groupText(part);
      return text !== null && part.parts.length > 1 ? `(${text})` : text;
    })
    .filter((text): text is string => text !== null);
  return parts.length === 0 ? null : parts.join(group.match === 'all' ? ' AND ' : ' OR ');
}

function ruleText({ property, operator, values }: Rule): string {
  const name = quoteName(property);
  const value = values[0] ?? '';
  switch (operator) {
    case 'empty':
      return `${name} IS NULL`;
    case 'filled':
      return `${name} IS NOT NULL`;
    case 'in':
      return `${name} IN (${values.map(literal).join(', ')})`;
    case 'contains':
      return `CASEI(${name}) LIKE CASEI(${literal(`%${pattern(String(value))}%`)})`;
    case 'begins':
      return `CASEI(${name}) LIKE CASEI(${literal(`${pattern(String(value))}%`)})`;
    default:
      return `${name} ${operator} ${literal(value)}`;
  }
}

// A name that is no plain word, or that CQL2 has taken, is put in quotes; quotes never hurt.
function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(value: Value): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  return typeof value === 'boolean' ? String(value).toUpperCase() : String(value);
}

/** Text in which LIKE finds nothing but itself. */
function pattern(text: string): string {
  return text.replace(/[\\%_]/g, (sign) => `\\${sign}`);
}

type Written = readonly unknown[];

/** The filter in few words, for the share link: ["all", ["height", ">", 10], ["any", ...]]. */
export function writeFilter(filter: LayerFilter): Written {
  return [writeGroup(filter.group), filter.area ? filter.area.map((at) => at.slice(0, 2)) : 0, filter.inView ? 1 : 0];
}

function writeGroup({ match, parts }: Group): Written {
  return [match, ...parts.map((part) => (isGroup(part) ? writeGroup(part) : [part.property, part.operator, ...part.values]))];
}

/** Reads what `writeFilter` wrote; null for anything else. */
export function readFilter(written: unknown): LayerFilter | null {
  if (!Array.isArray(written)) return null;
  const group = readGroup(written[0], 0);
  if (!group) return null;
  return { group, area: readArea(written[1]), inView: written[2] === 1 };
}

function readGroup(written: unknown, depth: number): Group | null {
  if (!Array.isArray(written) || depth > DEEPEST || written.length > MOST_PARTS + 1) return null;
  const match: unknown = written[0];
  if (match !== 'all' && match !== 'any') return null;
  const parts = written.slice(1).map((part: unknown) => readRule(part) ?? readGroup(part, depth + 1));
  return parts.includes(null) ? null : { match, parts: parts.filter((part) => part !== null) };
}

function readRule(written: unknown): Rule | null {
  if (!Array.isArray(written)) return null;
  const [property, operator, ...values]: unknown[] = written;
  const known = OPERATORS.find((each) => each === operator);
  if (typeof property !== 'string' || known === undefined || !values.every(isValue)) return null;
  return { property, operator: known, values };
}

function isValue(value: unknown): value is Value {
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

function readArea(written: unknown): readonly Position[] | null {
  if (!Array.isArray(written) || written.length < 3 || written.length > MOST_PLACES) return null;
  const places = written.filter((at): at is Position => Array.isArray(at) && at.length === 2 && at.every((value) => typeof value === 'number' && Math.abs(value) <= 180));
  return places.length === written.length ? places : null;
}
