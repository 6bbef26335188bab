/** Two runs together: under one clock, in two panes, as what the one has more than the other. */

import type { Map as MapLibre, StyleSpecification } from 'maplibre-gl';
import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, it } from 'vitest';
import type { Job, ResultLayer } from '../src/api/scenarios';
import { classesOf, differenceStyle } from '../src/map/scenarios/difference';
import { follows, lockCameras } from '../src/map/scenarios/lock';
import { paintDifference, type State } from '../src/map/scenarios/paint';
import { differencesOf, MEASURED, mostChanged, type Link, type LinkState } from '../src/state/scenarios/links';
import { differenceRamp, palette } from '../src/state/scenarios/ramp';
import { isSheet, panesOf, shiftBetween } from '../src/state/scenarios/together';
import { MEASURES } from '../src/state/scenarios/view';

describe('the difference of values', () => {
  const state = (values: number[], amount: boolean): State => ({ from: Float32Array.from(values), to: Float32Array.from(values), part: 0, amount });
  const [WENT, CAME] = [0xff111111, 0xff222222];
  const painted = (less: number[], values: number[], amount = true): number[] => {
    const pixels = new Uint32Array(values.length);
    paintDifference(pixels, values.length, palette(differenceRamp('m'), false), [WENT, CAME], state(values, amount), state(less, amount));
    return [...pixels];
  };

  it('is red where there is more, and nothing where both have the same', () => {
    const [more = 0, less = 0, same, none] = painted([1, 3, 2, NaN], [3, 1, 2, NaN]);
    expect([more & 255, less & 255]).toEqual([0x8e, 0x01]);
    expect([(same ?? 1) >>> 24, none]).toEqual([0, 0]);
  });

  it('stripes what is wet in one run alone', () => {
    const dry = Array<number>(16).fill(NaN);
    const wet = Array<number>(16).fill(2);
    expect(painted(dry, wet).filter((pixel) => (pixel & 255) === 0x8e)).toHaveLength(10);
    expect(painted(dry, wet).filter((pixel) => pixel === 0)).toHaveLength(6);
    expect(painted(wet, dry).filter((pixel) => (pixel & 255) === 0x01)).toHaveLength(10);
  });

  it('has a colour for what comes in one run alone, where none is not nought', () => {
    expect(painted([NaN], [30], false)).toEqual([CAME]);
    expect(painted([30], [NaN], false)).toEqual([WENT]);
  });

  it('is read in what its unit is read in, and is worse where water comes earlier', () => {
    expect(differenceRamp('m').at(-1)?.slice(0, 2)).toEqual([2, '#8e1127']);
    expect(differenceRamp('min')[0]?.slice(0, 2)).toEqual([-120, '#8e1127']);
  });
});

describe('the difference of traffic', () => {
  const link = (uid: string, volume: number, speed_kmh = 50, name: string | null = null, east = 0): Link => ({
    type: 'Feature',
    id: Number(uid.replace(/\D/g, '')),
    geometry: { type: 'LineString', coordinates: [[east, 0], [east, 1]] },
    properties: { uid, name, name_en: null, hour: 17, volume, speed_kmh, delay_s: 0, load: volume / 1000 } satisfies LinkState,
  });
  const told = (first: Link[], second: Link[], measure = MEASURES[0]) => differencesOf(first, second, measure ?? 'volume').features.map(({ properties: { uid, run, a, b, change } }) => [uid, run, a, b, change]);

  it('is told link by link, the greatest last', () => {
    expect(told([link('1-0', 400), link('1-1', 100), link('2-0', 100)], [link('1-0', 100), link('1-1', 160), link('2-0', 105)])).toEqual([['1-1', 'b', 100, 160, 60], ['1-0', 'b', 400, 100, -300]]);
  });

  it('counts nobody where a run tells of no volume, and no speed', () => {
    expect(told([link('1-0', 400)], [link('2-0', 300)])).toEqual([['2-0', 'b', null, 300, 300], ['1-0', 'a', 400, null, -400]]);
    expect(told([link('1-0', 400, 30)], [link('2-0', 300, 20)], 'speed_kmh')).toEqual([]);
  });

  it('takes drawn roads for the same where they lie alike, and tells of those that one run has alone', () => {
    const { features } = differencesOf([link('-1-0', 200)], [link('-1-0', 205), link('-2-0', 5)], 'volume');
    expect(features.map(({ properties: { uid, isNew, run } }) => [uid, isNew, run])).toEqual([['-2-0', true, 'b']]);
    const elsewhere = differencesOf([link('-1-0', 200)], [link('-1-0', 200, 50, null, 9)], 'volume').features;
    expect(elsewhere.map(({ properties: { isNew, run } }) => [isNew, run])).toEqual([[true, 'a'], [true, 'b']]);
  });

  it('has the roads that change most, each by one link', () => {
    const first = [link('1-0', 100, 50, 'East'), link('1-1', 100, 50, 'East'), link('2-0', 100)];
    const second = [link('1-0', 200, 50, 'East'), link('1-1', 400, 50, 'East'), link('2-0', 150)];
    expect(mostChanged(differencesOf(first, second, 'volume'), 5).map(({ properties: { uid, change } }) => [uid, change])).toEqual([['1-1', 300], ['2-0', 50]]);
  });

  it.each(MEASURES)('is drawn by the classes of its legend: %s', (measure) => {
    const layers = ['run_000000000001_traffic', 'run_000000000002_traffic'].map((id) => ({ id })) as unknown as [ResultLayer, ResultLayer];
    const differences = differencesOf([link('1-0', 400)], [link('1-0', 100)], measure);
    const style: StyleSpecification = differenceStyle({ differences, layers, measure, hours: [17, 17] });
    expect(validateStyleMin(style).map(({ message }) => message)).toEqual([]);
    const classes = classesOf(measure);
    expect(classes.map(({ to }) => to).slice(0, 4)).toEqual([...MEASURED[measure].classes].reverse().map((value) => -value));
    expect(new Set(classes.map(({ colour }) => colour)).size).toBe(8);
    // Slower is worse, and so is more of anything else.
    expect(classes.at(measure === 'speed_kmh' ? 0 : -1)?.colour).toBe('#67000d');
  });
});

describe('one clock', () => {
  const HOUR = 3_600_000;
  const job = (inputs: object, ...times: string[]): Job => ({ twin: { inputs, layers: [{ kind: 'vector', times }] } }) as unknown as Job;

  it('shows floods of as many hours since they began beside each other', () => {
    const first = job({ start: null }, '2026-08-01T06:00:00Z', '2026-08-01T12:00:00Z');
    expect(shiftBetween(first, job({ start: null }, '2026-08-01T07:00:00Z', '2026-08-01T13:00:00Z'))).toBe(HOUR);
    expect(shiftBetween(first, job({ start: '2026-08-01T06:00:00Z' }, '2026-08-01T06:00:00Z'))).toBe(0);
  });

  it('leaves beginnings that were given where they are, if the runs meet', () => {
    const given = (start: string, end: string): Job => job({ start }, start, end);
    expect(shiftBetween(given('2026-08-01T06:00:00Z', '2026-08-01T12:00:00Z'), given('2026-08-01T08:00:00Z', '2026-08-01T14:00:00Z'))).toBe(0);
    expect(shiftBetween(given('2026-08-01T06:00:00Z', '2026-08-01T12:00:00Z'), given('2026-09-01T06:00:00Z', '2026-09-01T12:00:00Z'))).toBe(31 * 24 * HOUR);
  });

  it('shows traffic of another day at the same hours', () => {
    const evening = job({ hour: 17 }, '2026-08-01T09:00:00Z', '2026-08-01T10:00:00Z');
    expect(shiftBetween(evening, job({ hour: 17 }, '2026-08-03T09:00:00Z'))).toBe(48 * HOUR);
    expect(shiftBetween(evening, job({ hour: 8 }, '2026-08-02T00:00:00Z'))).toBe(24 * HOUR);
    expect(shiftBetween(evening, job({ hour: 17 }))).toBe(0);
  });
});

describe('two panes', () => {
  it('show as much of the one as of the other beside a panel', () => {
    const [left, right] = panesOf({ width: 1280, height: 800 }, { width: 364, height: 768 });
    expect(1280 - left.right - 364).toBe(1280 - right.left);
    expect(left.right).toBe(1280 - right.left);
  });

  it('lie above each other over a sheet', () => {
    const [area, sheet] = [{ width: 390, height: 844 }, { width: 390, height: 300 }];
    expect(isSheet(area, sheet)).toBe(true);
    const [upper, lower] = panesOf(area, sheet);
    expect([upper.bottom, lower.top, lower.bottom]).toEqual([844 - 272, 272, 300]);
  });
});

/** As much of a map as a camera needs. */
class Camera {
  place = { center: [0, 0], zoom: 10, bearing: 0, pitch: 0 };
  rests: object[] = [];
  readonly #heard: [string, (event: object) => void][] = [];
  on(type: string, listener: (event: object) => void) {
    const entry: [string, (event: object) => void] = [type, listener];
    this.#heard.push(entry);
    return { unsubscribe: () => void this.#heard.splice(this.#heard.indexOf(entry), 1) };
  }
  jumpTo(place: Partial<Camera['place']>, told: object = {}): void {
    this.place = { ...this.place, ...place };
    for (const type of ['move', 'moveend']) for (const [wanted, listener] of [...this.#heard]) if (wanted === type) listener(told);
    this.rests.push(told);
  }
  getCenter = () => this.place.center;
  getZoom = () => this.place.zoom;
  getBearing = () => this.place.bearing;
  getPitch = () => this.place.pitch;
  getMaxPitch = () => 80;
  setMaxPitch = () => undefined;
}

describe('two cameras', () => {
  const [first, second] = [new Camera(), new Camera()];
  const unlock = lockCameras(first as unknown as MapLibre, second as unknown as MapLibre);

  it('follow each other, and only the first tells where both rest', () => {
    first.jumpTo({ zoom: 12 });
    expect(second.place.zoom).toBe(12);
    first.rests = [];
    second.jumpTo({ bearing: 30 });
    expect(first.place).toEqual({ ...second.place, bearing: 30 });
    expect(first.rests.map(follows)).toEqual([true, false]);
  });

  it('part when one is taken away', () => {
    unlock();
    first.jumpTo({ zoom: 15 });
    second.jumpTo({ zoom: 5 });
    expect([first.place.zoom, second.place.zoom]).toEqual([15, 5]);
  });
});
