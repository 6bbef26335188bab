/** Sensors and events: what is told of them, in which order, at which time. */

import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { seriesAddress, type CityEvent, type Latest, type Rule, type Severity } from '../src/api/sensing';
import { shownOf, webAddress } from '../src/state/sensing/cameras';
import { bucketOf, figures, neighbours, queries, spanOf } from '../src/state/sensing/series';
import { age, byUrgency, countLooks, decimals, lookOf, readSensor, resultText, unitText, valueText, type Sensor } from '../src/state/sensing/states';
import { thresholdsOf } from '../src/state/sensing/thresholds';
import { dayAndTime, fromField, shortTime, toField } from '../src/state/sensing/times';
import { sensorShapes, symbolNames, withoutSensing, withSensing } from '../src/map/sensing/sensors';
import { labelled, withTyphoon } from '../src/map/sensing/typhoon';

const HOUR = 3_600_000;
const NOON = Date.parse('2025-09-12T04:00:00Z');

function sensor(id: number, change: Partial<Sensor> = {}): Sensor {
  const levels = { warning: 2.9, guaranteed: 3.8 };
  return { id, kind: 'water_level', title: `水位站${id}`, property: 'level', unit: 'm', result: 2, time: NOON, look: 'ok', event: null, place: [120.9, 28.1], levels, datum: null, objects: [], camera: null, ...change };
}

function event(id: number, severity: Severity, change: Partial<CityEvent['properties']> = {}): CityEvent {
  const properties: CityEvent['properties'] = {
    kind: 'level-warning', severity, state: 'raised', title: `event ${id}`, text: null, datastream: 1, objects: [],
    began_at: '2025-09-12T02:00:00Z', ended_at: '2025-09-12T03:00:00Z', raised_at: '2025-09-12T02:00:05Z', raised_by: 'system',
    department: null, person: null, due_at: null, overdue: false, times: 1, merged_into: null, ...change,
  };
  return { type: 'Feature', id, geometry: { type: 'Point', coordinates: [120.9, 28.1] }, properties };
}

describe('a sensor', () => {
  it('that is silent is never shown as well, whatever event is on', () => {
    expect(lookOf({ state: 'silent', severity: 'red' })).toBe('silent');
    expect(lookOf({ state: 'unknown', severity: null })).toBe('unknown');
    expect(lookOf({ state: 'alarm', severity: 'orange' })).toBe('orange');
    expect(lookOf({ state: 'ok', severity: null })).toBe('ok');
  });

  it('is read with or without a place, a time and levels', () => {
    const properties = { datastream: 3, name: 'rainfall', kind: 'rain', thing: 1, title: '雨量站', unit: 'mm', result: 0, time: null, state: 'unknown', severity: null, event: null, levels: null, datum: null, objects: null } as const;
    const latest: Latest = { type: 'Feature', geometry: null, properties };
    expect(readSensor(latest)).toMatchObject({ id: 3, place: null, time: null, levels: {}, look: 'unknown' });
  });

  it('is listed by urgency, then as people count', () => {
    const all = [sensor(10), sensor(2), sensor(3, { look: 'silent' }), sensor(4, { look: 'red' })];
    expect([...all].sort(byUrgency).map((each) => each.id)).toEqual([4, 3, 2, 10]);
    expect(countLooks(all)).toMatchObject({ red: 1, silent: 1, ok: 2, blue: 0 });
  });

  it('is written with its unit as people write it', () => {
    expect(valueText({ result: 556, unit: '{vehicle}/h' }, 'zh')).toBe('556 辆/h');
    expect(valueText({ result: null, unit: 'm' }, 'en')).toBe('—');
    expect([unitText('ug/m3', 'en'), unitText('1', 'en'), unitText('kPa', 'zh')]).toEqual(['µg/m³', '', 'kPa']);
    expect([resultText(2.3456, 'en'), resultText('NW', 'en'), resultText({ a: 1 }, 'en')]).toEqual(['2.35', 'NW', '{"a":1}']);
    expect([decimals(-1234), decimals(12), decimals(0.4)]).toEqual([0, 1, 2]);
  });

  it.each([
    [-5, { count: 0, unit: 's' }],
    [80_000, { count: 80, unit: 's' }],
    [10 * 60_000, { count: 10, unit: 'min' }],
    [3 * HOUR, { count: 3, unit: 'h' }],
    [50 * HOUR, { count: 2, unit: 'd' }],
  ])('of %d ms ago says so', (milliseconds, expected) => expect(age(milliseconds)).toEqual(expected));
});

describe('a chart', () => {
  it('ends now, or where an archive ends', () => {
    expect(spanOf('24h', NOON - HOUR, NOON, null)).toEqual({ from: NOON / 1000 - 86_400, to: NOON / 1000 });
    const old = NOON - 1000 * 24 * HOUR;
    expect(spanOf('7d', old, NOON, null)?.to).toBe(old / 1000 + 3600);
    expect(spanOf('all', NOON, NOON, null)).toBeNull();
    expect(spanOf('window', NOON, NOON, [0, HOUR])).toEqual({ from: 0, to: 3600 });
    // A reading of this very moment is not cut off with its part of a second.
    const address = seriesAddress('', { streams: [1], span: [0.9, 3600.512], bucket: null });
    expect(new URLSearchParams(address.split('?')[1]).get('datetime')).toBe('1970-01-01T00:00:00Z/1970-01-01T01:00:01Z');
  });

  it('adds amounts up and thins the rest, each asked once', () => {
    const asked = queries([{ id: 1, kind: 'rain' }, { id: 2, kind: 'tide' }, { id: 3, kind: 'rain' }], { from: 0, to: 86_400 });
    expect(asked).toEqual([
      { streams: [2], span: [0, 86_400], bucket: null, points: 800 },
      { streams: [1, 3], span: [0, 86_400], bucket: 'PT1H' },
    ]);
    expect([bucketOf(86_400).text, bucketOf(7 * 86_400).text, bucketOf(null).text]).toEqual(['PT1H', 'PT6H', 'day']);
  });

  it('shows the heights that its rules watch, in their colours, and no sums', () => {
    const rule = (name: string, severity: Severity, when: Rule['condition']['when'], change: Partial<Rule> = {}): Rule => ({
      name, title_zh: name, title_en: name, enabled: true, severity, applies: { kinds: ['water_level'] }, condition: { when }, ...change,
    });
    const rules = [
      rule('a', 'yellow', { type: 'threshold', level: 'warning' }),
      rule('b', 'red', { type: 'any', of: [{ type: 'threshold', value: 4.2 }, { type: 'sum', value: 50 }] }),
      rule('c', 'red', { type: 'threshold', value: 1 }, { enabled: false }),
      rule('d', 'red', { type: 'threshold', value: 1 }, { applies: { datastreams: [9] } }),
    ];
    expect(thresholdsOf(sensor(1), rules)).toEqual([
      { level: 'warning', title: null, value: 2.9, severity: 'yellow' },
      { level: 'guaranteed', title: null, value: 3.8, severity: 'red' },
      { level: null, title: { zh: 'b', en: 'b' }, value: 4.2, severity: 'red' },
    ]);
  });

  it('has its figures', () => {
    expect(figures({ value: [2, 5, -1] })).toEqual({ least: -1, most: 5, last: -1, sum: 6 });
    expect(figures({ value: [] })).toEqual({ least: null, most: null, last: null, sum: 0 });
  });

  it('offers what is near and of the same kind', () => {
    const all = [sensor(1), sensor(2, { place: [121, 28.1] }), sensor(3, { place: [120.95, 28.1] }), sensor(4, { kind: 'rain', place: [121, 28.1] })];
    expect(neighbours(sensor(1), all, 5).map((each) => each.id)).toEqual([3, 2]);
  });
});

describe('the city’s clock', () => {
  it('is written in its zone', () => {
    expect(dayAndTime(NOON, 'Asia/Shanghai')).toBe('2025-09-12 12:00');
    expect(shortTime(NOON, 'Asia/Shanghai', NOON + HOUR)).toBe('12:00');
    expect(shortTime(NOON, 'Asia/Shanghai', NOON + 30 * HOUR)).toBe('09-12 12:00');
  });

  it('means what its field holds, also where clocks change', () => {
    // Since 1992, when China last turned its clocks: an hour that came twice has two moments.
    const minutes = fc.date({ min: new Date('1992-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => Math.floor(date.getTime() / 60_000) * 60_000);
    fc.assert(fc.property(minutes, (time) => fromField(toField(time, 'Asia/Shanghai'), 'Asia/Shanghai') === time));
    const summer = Date.parse('2025-07-01T10:00:00Z');
    expect(fromField(toField(summer, 'Europe/Berlin'), 'Europe/Berlin')).toBe(summer);
    expect(fromField('', 'Europe/Berlin')).toBeNull();
  });
});

describe('on the map', () => {
  const look = { sensors: [sensor(1), sensor(2, { place: null }), sensor(3, { look: 'red', kind: 'rain' })], events: [event(1, 'red')], streams: [3], event: 1, language: 'zh' as const, style: 'day' as const, accent: '#d9480f' };
  const bare = { version: 8 as const, sources: {}, layers: [] };

  it('sensors and events are drawn by a valid style, and nothing is added where there is none', () => {
    const style = withSensing(bare, look);
    expect(validateStyleMin(style)).toEqual([]);
    const drawn = style.sources['sensing-sensors'];
    const data = drawn?.type === 'geojson' && typeof drawn.data === 'object' && 'features' in drawn.data ? drawn.data.features : [];
    expect(data.map((feature) => feature.properties)).toMatchObject([
      { stream: 1, look: 'ok', label: '2 m', chosen: false },
      { stream: 3, look: 'red', icon: 'sensing/rain/red/day', chosen: true },
    ]);
    expect(withSensing(bare, { ...look, sensors: [], events: [] })).toBe(bare);
    expect(withoutSensing(style).layers).toEqual([]);
    expect([...symbolNames(look)]).toEqual(['sensing/water_level/ok/day', 'sensing/rain/red/day', 'sensing/event/red/day']);
  });

  it('a typhoon says when and how strong, and which place is its last', () => {
    const position = (at: string): GeoJSON.Feature => ({ type: 'Feature', geometry: { type: 'Point', coordinates: [121, 27] }, properties: { role: 'position', at, wind_ms: 38.4 } });
    const told = labelled({ type: 'FeatureCollection', features: [position('a'), position('b')] }, (moment) => `at ${moment}`);
    expect(told.features.map((feature) => feature.properties)).toMatchObject([{ label: 'at a 38 m/s' }, { label: 'at b 38 m/s', last: true }]);
    expect(validateStyleMin(withTyphoon(bare, told, 'night'))).toEqual([]);
    expect(withTyphoon(bare, null, 'day')).toBe(bare);
  });
});

// The rest keeps signals that belong to a page.
describe('in the page', () => {
  type Modules = [typeof import('../src/state/sensing/events'), typeof import('../src/state/sensing/live'), typeof import('../src/state/sensing/past')];
  let modules: Modules;
  beforeAll(async () => {
    vi.stubGlobal('document', { hidden: false, baseURI: 'http://127.0.0.1/viewer/', documentElement: { lang: 'en' } });
    vi.stubGlobal('localStorage', { getItem: () => null });
    modules = await Promise.all([import('../src/state/sensing/events'), import('../src/state/sensing/live'), import('../src/state/sensing/past')]);
  });

  it('what nobody has taken stands first, the gravest of it foremost', () => {
    const { choose } = modules[0];
    const all = [event(1, 'blue'), event(2, 'red', { state: 'assigned' }), event(3, 'orange'), event(4, 'red'), event(5, 'red', { state: 'closed' })];
    const ids = (stage: 'open' | 'done' | 'all', window: readonly [number, number] | null = null): number[] =>
      choose(all, { severities: ['red', 'orange', 'blue'], stage }, null, window).map((each) => each.id);
    expect(ids('open')).toEqual([4, 3, 1, 2]);
    expect(ids('done')).toEqual([5]);
    expect(choose(all, { severities: ['blue'], stage: 'all' }, null, null).map((each) => each.id)).toEqual([1]);
    expect(choose(all, { severities: ['red'], stage: 'all' }, [0, 0, 1, 1], null)).toEqual([]);
    expect(ids('all', [NOON, NOON + HOUR])).toEqual([]);
  });

  it('may be the same as any that is not closed, the nearest first, then the newest', () => {
    const { mergeTargets } = modules[0];
    const at = (id: number, lng: number | null, change: Partial<CityEvent['properties']> = {}): CityEvent => ({ ...event(id, 'red', change), geometry: lng === null ? null : { type: 'Point', coordinates: [lng, 28.1] } });
    const all = [at(1, 120.9), at(2, null), at(3, 121.5), at(4, 120.91), at(5, 120.9, { state: 'closed' }), at(6, 120.91, { began_at: '2025-09-12T03:00:00Z' })];
    expect(mergeTargets(at(1, 120.9), all).map((each) => each.id)).toEqual([6, 4, 3, 2]);
    expect(mergeTargets(at(5, null), all).map((each) => each.id)).toEqual([6, 1, 2, 3, 4]);
  });

  it('what is not over is on for ever', () => {
    const { overlaps } = modules[0];
    const began_at = '2025-09-12T02:00:00Z';
    expect(overlaps({ began_at, ended_at: null }, [NOON, NOON])).toBe(true);
    expect(overlaps({ began_at, ended_at: '2025-09-12T03:00:00Z' }, [NOON, NOON])).toBe(false);
    expect(overlaps({ began_at, ended_at: null }, [0, 1])).toBe(false);
  });

  it('a late reading changes nothing, and one of a silent sensor surprises', () => {
    const { withReadings } = modules[1];
    const known = new Map([[1, sensor(1)], [2, sensor(2, { look: 'silent' })]]);
    const late = withReadings(known, [{ datastream: 1, time: '2025-09-12T03:00:00Z', result: 9 }]);
    expect([late.sensors.get(1)?.result, late.surprised]).toEqual([2, false]);
    const fresh = withReadings(known, [{ datastream: 1, time: '2025-09-12T04:05:00Z', result: 3 }]);
    expect([fresh.sensors.get(1)?.result, fresh.surprised]).toEqual([3, false]);
    expect(withReadings(known, [{ datastream: 2, time: '2025-09-12T04:05:00Z', result: 3 }]).surprised).toBe(true);
    expect(withReadings(known, [{ datastream: 7, time: '2025-09-12T04:05:00Z', result: 3 }]).surprised).toBe(true);
  });

  it('an open event may have closed a road where it is linked to one, or somebody told of it at a place', () => {
    const [{ mayCloseRoad }] = modules;
    const place = { type: 'Point' as const, coordinates: [120.9, 28.1] };
    const report = { ...event(1, 'yellow', { datastream: null }), geometry: place };
    expect(mayCloseRoad(report)).toBe(true);
    expect(mayCloseRoad({ ...report, geometry: null })).toBe(false);
    expect(mayCloseRoad({ ...event(2, 'red'), geometry: place })).toBe(false);
    expect(mayCloseRoad(event(3, 'red', { objects: [{ layer: 'roads', object_id: 7 }] }))).toBe(true);
    expect(mayCloseRoad({ ...report, properties: { ...report.properties, state: 'resolved' } })).toBe(false);
  });

  it('a sensor stood in the past as its series and the events of then say', () => {
    const { lastBefore, sensorAt } = modules[2];
    const series = { time: [NOON / 1000 - 3600, NOON / 1000], value: [2.5, 3.1] };
    const on = [event(1, 'blue'), event(2, 'orange'), event(3, 'red', { datastream: 9 })];
    expect(sensorAt(sensor(1), series, on, NOON + 60_000)).toMatchObject({ result: 3.1, look: 'orange', time: NOON });
    expect(sensorAt(sensor(1), series, [], NOON - 60_000)).toMatchObject({ result: 2.5, look: 'ok' });
    expect(sensorAt(sensor(1), series, on, NOON + 3 * HOUR)).toMatchObject({ result: null, look: 'silent' });
    expect(sensorAt(sensor(1), series, [], 0)).toMatchObject({ look: 'silent', time: null });
    const growing = fc.array(fc.integer(), { maxLength: 20 }).map((list) => list.sort((a, b) => a - b));
    fc.assert(fc.property(growing, fc.integer(), (list, limit) => lastBefore(list, limit) === list.filter((each) => each <= limit).length - 1));
  });
});

describe('cameras', () => {
  const root = 'https://city.example.org';
  const at = Date.parse('2025-09-12T04:00:00Z');

  it('are shown by addresses that a browser may fetch, and by no others', () => {
    expect(shownOf({ snapshot: '/sensors/pictures/c1' }, root, true, at)).toMatchObject({ picture: `${root}/sensors/pictures/c1?datetime=2025-09-12T04:00:00Z`, anyTime: true, link: null });
    expect(shownOf({ snapshot: 'https://cams.example.org/7.jpg?k=1' }, root, true, at).picture).toBe(`https://cams.example.org/7.jpg?k=1&_=${at}`);
    expect(shownOf({ snapshot: 'http://cams.example.org/7.jpg' }, root, false, at).picture).not.toBeNull();
    expect(shownOf({ snapshot: 'http://cams.example.org/7.jpg', hls: 'http://cams.example.org/7.m3u8' }, root, true, at)).toEqual({ picture: null, anyTime: false, hls: null, link: 'http://cams.example.org/7.jpg' });
    for (const hostile of ['javascript:alert(1)', 'data:text/html,x', '//x/y', 'https://me:secret@x/y', 'no address', '']) {
      expect(shownOf({ snapshot: hostile, hls: hostile }, root, false, at)).toMatchObject({ hls: null, link: null });
      expect(webAddress(hostile)).toBeNull();
    }
  });

  it('have no state of their own, and stand in their direction', () => {
    expect(lookOf({ state: 'unknown', severity: null, camera: {} })).toBe('ok');
    expect(lookOf({ state: 'unknown', severity: null })).toBe('unknown');
    const camera = sensor(9, { kind: 'camera', camera: { direction: 135, field_of_view: 62 } });
    expect(countLooks([camera, sensor(1)]).ok).toBe(1);
    const [shape] = sensorShapes({ sensors: [camera], streams: [], language: 'zh', style: 'day' }).features;
    expect(shape?.properties).toMatchObject({ direction: 135, cone: 'sensing/cone_62/ok/day', label: '' });
    expect(symbolNames({ sensors: [camera], events: [], style: 'day' })).toContain('sensing/cone_62/ok/day');
  });
});
