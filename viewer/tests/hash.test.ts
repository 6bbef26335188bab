/** The share link: every view survives it, and nothing a person types into the address breaks the viewer. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, isDate, roundCamera } from '../src/state/hash';
import { preferredLanguage } from '../src/state/store';
import type { Extra } from '../src/state/extra';
import { OPERATORS, type Group, type LayerFilter, type Rule } from '../src/state/filter';
import { MOST_STREAMS, SPANS, minuteOf, type SensingView } from '../src/state/sensing/view';
import { INITIAL, type Camera, type LayerView, type ViewState } from '../src/state/view';
import { BANDS, MODES, NO_WAYS, roundPlace, TOOLS, type WaysView } from '../src/state/ways/view';
import { NO_SCENARIO, type ScenarioView } from '../src/state/scenarios/view';

const number = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true, noDefaultInfinity: true });

const camera: fc.Arbitrary<Camera> = fc
  .record({ lng: number(-180, 180), lat: number(-90, 90), zoom: number(0, 24), bearing: number(-180, 180), pitch: number(0, 85) })
  .map(roundCamera);

const layerId = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/);

const layers: fc.Arbitrary<LayerView[]> = fc.uniqueArray(
  fc.record({ id: layerId, visible: fc.boolean(), opacity: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100) }),
  { selector: (layer) => layer.id, maxLength: 20 },
);

const date = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
  .map((day) => day.toISOString().slice(0, 10));

const rule: fc.Arbitrary<Rule> = fc.record({
  property: fc.string({ minLength: 1 }),
  operator: fc.constantFrom(...OPERATORS),
  values: fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean()), { maxLength: 3 }),
});

const group = (depth: number): fc.Arbitrary<Group> =>
  fc.record({
    match: fc.constantFrom('all' as const, 'any' as const),
    parts: fc.array(depth === 0 ? rule : fc.oneof(rule, group(depth - 1)), { maxLength: 3 }),
  });

const place = fc.tuple(fc.integer({ min: -180, max: 180 }), fc.integer({ min: -90, max: 90 }));

const filter: fc.Arbitrary<LayerFilter> = fc.record({
  group: group(2),
  area: fc.option(fc.array(place, { minLength: 3, maxLength: 6 })),
  inView: fc.boolean(),
});

const address = fc.webPath().map((path) => `https://maps.example${path}`);
const words = fc.string({ maxLength: 12, unit: 'grapheme' });

const extra: fc.Arbitrary<Extra> = fc.record({
  id: fc.stringMatching(/^[a-z0-9]{1,8}$/),
  kind: fc.constantFrom('wms', 'wmts', 'xyz', 'geojson'),
  url: address,
  title: words,
  layer: words,
  style: words,
  grid: words,
  version: words,
  format: words,
  tiles: fc.constantFrom('', 'https://maps.example/{z}/{x}/{y}.png'),
  legend: fc.constant(''),
  attribution: words,
  served: fc.boolean(),
  keyName: fc.constantFrom('', 'tk'),
  visible: fc.boolean(),
  opacity: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
  place: fc.constantFrom('over', 'under'),
});

const minute = fc.date({ min: new Date('1990-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }).map((day) => minuteOf(day.getTime()));

const sensing: fc.Arbitrary<SensingView> = fc.record({
  streams: fc.uniqueArray(fc.nat(), { maxLength: MOST_STREAMS }),
  event: fc.option(fc.nat()),
  hidden: fc.uniqueArray(layerId, { maxLength: 3 }),
  span: fc.constantFrom(...SPANS),
  typhoon: fc.option(fc.stringMatching(/^[\w-]{1,12}$/)),
  window: fc.option(fc.uniqueArray(minute, { minLength: 2, maxLength: 2 }).map(([a = '', b = '']) => (a < b ? { from: a, to: b } : { from: b, to: a }))),
  moment: fc.option(minute),
});

const job = fc.uuid();

const way = { place: fc.option(fc.tuple(number(-180, 180), number(-89, 89)).map(([lng, lat]) => roundPlace(lng, lat))) };
const ways: fc.Arbitrary<WaysView> = fc.oneof(
  fc.constant(NO_WAYS),
  fc
    .record({
      tool: fc.constantFrom(...TOOLS),
      mode: fc.constantFrom(...MODES),
      direction: fc.constantFrom('from' as const, 'to' as const),
      minutes: fc.constantFrom(...BANDS),
      run: fc.option(fc.uuid()),
      at: fc.option(fc.date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }).map((time) => minuteOf(time.getTime()))),
      from: way.place,
      to: way.place,
    })
    .map((each) => (each.run === null ? { ...each, at: null } : each)),
);

const scenario: fc.Arbitrary<ScenarioView> = fc.oneof(
  fc.constant(NO_SCENARIO),
  fc.record({
    run: job,
    roles: fc.option(fc.uniqueArray(fc.constantFrom('depth', 'max_depth', 'closed_roads'), { minLength: 1 })),
    other: fc.constant(null),
    comparison: fc.constant('swipe' as const),
    line: fc.constant(0.5),
    measure: fc.constant('volume' as const),
  }),
  fc.record({
    run: job,
    roles: fc.constant(null),
    other: job,
    comparison: fc.constantFrom('swipe', 'side', 'difference'),
    line: fc.integer({ min: 2, max: 98 }).map((hundredths) => hundredths / 100),
    measure: fc.constantFrom('volume', 'speed_kmh', 'delay_s', 'load'),
  }),
);

const view: fc.Arbitrary<ViewState> = fc.record({
  sensing,
  scenario,
  ways,
  city: fc.option(fc.string({ minLength: 1, unit: 'grapheme' })),
  camera: fc.option(camera),
  style: fc.constantFrom('day', 'night'),
  language: fc.constantFrom('zh', 'en'),
  layers,
  is3d: fc.boolean(),
  selected: fc.option(fc.record({ layer: layerId, id: fc.string({ minLength: 1, unit: 'grapheme' }) })),
  date: fc.option(date),
  coordinates: fc.constantFrom('degrees', 'dms', 'mercator', 'metric'),
  filters: fc.dictionary(layerId, filter, { maxKeys: 3, noNullPrototype: true }),
  table: fc.option(
    fc.record({
      layer: layerId,
      sort: fc.option(fc.stringMatching(/^-?[a-z_]{1,12}$/)),
      columns: fc.option(fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { minLength: 1, maxLength: 4 })),
    }),
  ),
  extras: fc.uniqueArray(extra, { selector: (each) => each.id, maxLength: 3 }),
});

describe('share link', () => {
  it('brings back every view', () => {
    fc.assert(
      fc.property(view, (state) => {
        expect(decode(`#${encode(state)}`, INITIAL)).toEqual(state);
      }),
    );
  });

  it('survives a browser, which keeps what is read as it was written', () => {
    fc.assert(
      fc.property(view, (state) => {
        const address = new URL(`http://127.0.0.1/viewer/#${encode(state)}`);
        expect(decode(address.hash, INITIAL)).toEqual(state);
      }),
    );
  });

  it('never throws on what a person may type', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decode(`#${text}`, INITIAL)));
    fc.assert(
      fc.property(fc.constantFrom('at', 'layers', 'selected', 'datetime', '3d', 'style', 'filters', 'table', 'maps', 'sensors', 'event', 'hide', 'span', 'typhoon', 'window', 'time'), fc.string(), (key, text) => {
        const state = decode(`#${key}=${encodeURIComponent(text)}`, INITIAL);
        expect(decode(`#${encode(state)}`, INITIAL)).toEqual(state);
      }),
    );
  });

  it('reads as a person would write it', () => {
    const state = decode('#city=demo&at=120.95,27.99,13.5,-20,55&style=night&lang=zh&layers=roads:0.5,-water&3d=0', INITIAL);
    expect(state.camera).toEqual({ lng: 120.95, lat: 27.99, zoom: 13.5, bearing: -20, pitch: 55 });
    expect(state.layers).toEqual([
      { id: 'roads', visible: true, opacity: 0.5 },
      { id: 'water', visible: false, opacity: 1 },
    ]);
    expect(state).toMatchObject({ city: 'demo', style: 'night', language: 'zh', is3d: false });
  });

  it.each(['at=999,0,3', 'at=0,91,3', 'at=1,2', 'at=a,b,c', 'at=0,0,3,0,-5', 'at=', 'style=pink', 'datetime=2025-02-30', 'sensors=x', 'event=-1', 'span=1y', 'time=2025-02-30T00:00Z', 'window=2025-01-02T00:00Z/2025-01-01T00:00Z'])(
    'keeps the default for %s',
    (hash) => expect(decode(`#${hash}`, INITIAL)).toEqual(INITIAL),
  );
});

describe('dates', () => {
  it.each(['2024-02-29', '1999-12-31'])('%s is a day', (text) => expect(isDate(text)).toBe(true));
  it.each(['2025-02-29', '2025-13-01', '2025-1-1', 'today', ''])('"%s" is none', (text) => expect(isDate(text)).toBe(false));
});

describe('language', () => {
  it.each([
    [['zh-CN', 'en'], 'zh'],
    [['fr', 'en-GB', 'zh'], 'en'],
    [['de', 'zh-Hant-TW'], 'zh'],
    [['fr'], 'en'],
    [[], 'en'],
  ])('of a browser that asks for %j is %s', (asked, expected) => expect(preferredLanguage(asked)).toBe(expected));
});
