/** Names, codes and units of objects, as a planner reads them. */

import { describe, expect, it } from 'vitest';
import { attributeRows, objectName, objectTitle } from '../src/parts/labels';
import { collection } from './fixtures';

const WORDS = { yes: 'yes', no: 'no', titles: { valid_from: 'Valid from' }, timeZone: 'Asia/Shanghai' };
const buildings = collection('buildings', {
  theme: 'buildings',
  properties: [
    { name: 'class', type: 'text', title: { zh: '类别', en: 'Class' }, codes: { Building: { zh: '建筑物', en: 'Building' } } },
    { name: 'height', type: 'number', unit: 'm', title: { zh: '高度', en: 'Height' } },
    { name: 'height_source', type: 'text', title: { zh: '高度来源', en: 'Height from' }, codes: { storeys: { zh: '按层数推算', en: 'storeys' } } },
    { name: 'year_built', type: 'integer', title: { zh: '建成年份', en: 'Year built' } },
    { name: 'listed', type: 'boolean', title: { zh: '保护建筑', en: 'Listed' } },
    { name: 'roof_type', type: 'text', title: { zh: '屋顶', en: 'Roof' } },
  ],
});

describe('attributes', () => {
  const properties = { height: 12345.6789, height_source: 'storeys', year_built: 1998, listed: false, roof_type: null, note: 'x', attributes: { source_field: 1, height: 3 }, list: [1, 2] };

  it('come in the order of the layer, with labels, units and codes, then the rest', () => {
    const rows = attributeRows(properties, buildings, 'en', WORDS);
    expect(rows.map((row) => [row.title, row.value, row.unit, row.code])).toEqual([
      ['Class', null, null, null],
      ['Height', '12,345.679', 'm', null],
      ['Height from', 'storeys', null, 'storeys'],
      ['Year built', '1998', null, null],
      ['Listed', 'no', null, null],
      ['Roof', null, null, null],
      ['note', 'x', null, null],
      ['source_field', '1', null, null],
      ['list', '[1,2]', null, null],
    ]);
  });

  it('are labelled in Chinese', () => {
    const rows = attributeRows(properties, buildings, 'zh', { ...WORDS, yes: '是', no: '否' });
    expect(rows.find((row) => row.name === 'height_source')).toMatchObject({ title: '高度来源', value: '按层数推算', code: 'storeys' });
    expect(rows.find((row) => row.name === 'listed')?.value).toBe('否');
  });

  it('write moments in the city’s zone, a midnight there as its day', () => {
    const given = { valid_from: '2019-12-31T16:00:00Z', seen: '2020-05-01T08:30:00+08:00', code: '2020-01' };
    expect(attributeRows(given, undefined, 'en', WORDS).map((row) => [row.title, row.value])).toEqual([
      ['Valid from', '2020-01-01'],
      ['seen', '2020-05-01 08:30'],
      ['code', '2020-01'],
    ]);
  });

  it('of a layer that describes none stand under their own names', () => {
    expect(attributeRows({ a: 0, b: '' }, undefined, 'en', WORDS).map((row) => [row.title, row.value])).toEqual([
      ['a', '0'],
      ['b', null],
    ]);
  });
});

describe('names', () => {
  it('are in the language asked for, else in the other', () => {
    expect(objectName({ name: '清江', name_en: 'Qing River' }, buildings, 'en')).toBe('Qing River');
    expect(objectName({ name: '清江', name_en: '' }, buildings, 'en')).toBe('清江');
    expect(objectName({ name: null, name_en: 'Qing River' }, buildings, 'zh')).toBe('Qing River');
  });

  it('give way to the class, and to the layer and number', () => {
    expect(objectName({ class: 'Building' }, buildings, 'zh')).toBe('建筑物');
    expect(objectTitle({}, '7', buildings, 'en')).toBe('buildings 7');
    expect(objectTitle({}, '7', undefined, 'en')).toBe('7');
  });
});
