/** Filters: what a person builds becomes CQL2 that says the same, and every link holds it. */

import { describe, expect, it } from 'vitest';
import { countRules, NO_FILTER, operatorsFor, readFilter, toCql2, writeFilter, type LayerFilter, type Rule } from '../src/state/filter';

const rule = (property: string, operator: Rule['operator'], ...values: Rule['values']): Rule => ({ property, operator, values });
const all = (...parts: LayerFilter['group']['parts']): LayerFilter => ({ ...NO_FILTER, group: { match: 'all', parts } });

describe('CQL2', () => {
  it.each([
    [rule('height', '>', 10), '"height" > 10'],
    [rule('name', '=', "Wang's"), `"name" = 'Wang''s'`],
    [rule('class', 'in', 'School', 'Hospital'), `"class" IN ('School', 'Hospital')`],
    [rule('oneway', '=', true), '"oneway" = TRUE'],
    [rule('name', 'contains', '50%_a\\'), `CASEI("name") LIKE CASEI('%50\\%\\_a\\\\%')`],
    [rule('name', 'begins', '城'), `CASEI("name") LIKE CASEI('城%')`],
    [rule('name', 'empty'), '"name" IS NULL'],
    [rule('a "b"', 'filled'), '"a ""b""" IS NOT NULL'],
  ])('of %j', (given, text) => expect(toCql2(all(given))).toBe(text));

  it('joins all or any, and brackets a group within another', () => {
    const inner = { match: 'any' as const, parts: [rule('storeys', '>', 3), rule('height', '>', 12)] };
    expect(toCql2(all(rule('year_built', '<', 2000), inner))).toBe('"year_built" < 2000 AND ("storeys" > 3 OR "height" > 12)');
    expect(toCql2({ ...NO_FILTER, group: inner })).toBe('"storeys" > 3 OR "height" > 12');
  });

  it('leaves out what says nothing yet', () => {
    expect(toCql2(all(rule('height', '>'), rule('name', '=', ''), { match: 'any', parts: [] }))).toBeNull();
    expect(toCql2(NO_FILTER)).toBeNull();
  });

  it('keeps to a drawn area, whatever the rest says', () => {
    const area = [[120, 28], [121, 28], [121, 29]];
    const any = { match: 'any' as const, parts: [rule('a', '=', 1), rule('b', '=', 2)] };
    expect(toCql2({ group: any, area, inView: false })).toBe('("a" = 1 OR "b" = 2) AND S_INTERSECTS(geometry, POLYGON((120 28, 121 28, 121 29, 120 28)))');
    expect(toCql2({ ...NO_FILTER, area })).toBe('S_INTERSECTS(geometry, POLYGON((120 28, 121 28, 121 29, 120 28)))');
  });
});

describe('a filter', () => {
  it('counts what says something', () => {
    expect(countRules({ ...all(rule('a', '=', 1), rule('b', '=')), area: [[0, 0], [1, 0], [1, 1]], inView: true })).toBe(3);
  });

  it('offers the comparisons that make sense', () => {
    const title = { zh: '', en: '' };
    expect(operatorsFor({ name: 'a', type: 'text', title, codes: {} })).toContain('in');
    expect(operatorsFor({ name: 'a', type: 'number', title })).toContain('>=');
    expect(operatorsFor({ name: 'a', type: 'boolean', title })).not.toContain('<>');
  });

  it.each([null, 3, [], [['some', []]], [['all', ['a']]], [['all', ['a', 'like', 'x']]], [['all', [1, '=', 2]]], [['all', ['a', '=', null]]]])(
    'is not read from %j',
    (written) => expect(readFilter(written)).toBeNull(),
  );

  it('has no area of two places, or of places that are none', () => {
    for (const area of [[[0, 0], [1, 1]], [[0, 0], [1, 1], [2]], [[0, 0], [1, 1], [2, 'a']]]) expect(readFilter([['all'], area, 0])?.area).toBeNull();
  });

  it('survives JSON', () => {
    const filter = all(rule('a', 'in', 'x', 'y'), { match: 'any', parts: [rule('b', 'empty')] });
    expect(readFilter(JSON.parse(JSON.stringify(writeFilter(filter))))).toEqual(filter);
  });
});
