/** Scenarios: forms read from descriptions, what is sent of them, states between moments, values as colours. */

import { describe, expect, it } from 'vitest';
import type { Job, Process, Schema } from '../src/api/scenarios';
import { gridOf, pixelOf } from '../src/map/scenarios/grid';
import { addressOf, decode } from '../src/map/scenarios/mosaic';
import { paint, type State } from '../src/map/scenarios/paint';
import { countsOf, gradeOf } from '../src/parts/scenarios/counts';
import { section } from '../src/parts/scenarios/section';
import { beyond, faultsOf, inputsOf, matters, readForm, readRows, writeRows } from '../src/state/scenarios/form';
import { between, played, stepped, timeLeft, withMark, type Mark } from '../src/state/scenarios/frames';
import { palette } from '../src/state/scenarios/ramp';
import { askedOf, other, otherVectors, run, setBeside, vectors } from '../src/state/scenarios/runs';

const words = (en: string) => ({ zh: en, en });

function described(fields: Record<string, Schema>): Pick<Process, 'inputs'> {
  return { inputs: Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, { minOccurs: 0, twin: { schema } }])) } as unknown as Pick<Process, 'inputs'>;
}

const FLOOD = described({
  hours: { type: 'number', default: 6, exclusiveMinimum: 0, maximum: 168, 'x-unit': 'h', 'x-title': words('Hours') },
  rain: { type: 'string', enum: ['none', 'storm'], default: 'none', 'x-group': words('Rain'), 'x-choices': { none: words('None'), storm: words('Storm') } },
  peak: { type: 'number', default: 0.4, minimum: 0, maximum: 1, 'x-group': words('Rain'), 'x-widget': 'slider', 'x-when': { rain: ['storm'] } },
  sluices: { type: 'string', enum: ['automatic', 'shut'], default: 'automatic', 'x-help': { zh: 'automatic：自动；shut：关闭', en: 'automatic: by themselves; shut: closed' } },
  earlier: { anyOf: [{ type: 'string' }, { type: 'null' }], 'x-widget': 'run', 'x-of': 'flood' },
  gauge: { anyOf: [{ type: 'integer' }, { type: 'null' }], 'x-widget': 'datastream', 'x-of': 'rain' },
  walls: { type: 'array', items: { type: 'object', properties: { crest: { type: 'number' } } } },
  series: { type: 'array', items: { type: 'array', prefixItems: [{ type: 'number' }, { type: 'number' }] } },
});
const groups = readForm(FLOOD);
const fields = groups.flatMap((group) => group.fields);
const field = (name: string) => fields.find((each) => each.name === name) ?? expect.fail(name);

describe('a form', () => {
  it('has the groups of the description, those without one first', () => {
    expect(groups.map((group) => group.title?.en ?? null)).toEqual([null, 'Rain']);
    expect(groups[1]?.fields.map(({ name }) => name)).toEqual(['rain', 'peak']);
  });

  it('asks by what the schema says', () => {
    expect(fields.map(({ name, asks }) => [name, asks.kind])).toEqual([
      ['hours', 'number'],
      ['sluices', 'choice'],
      ['earlier', 'pick'],
      ['gauge', 'pick'],
      ['walls', 'list'],
      ['series', 'rows'],
      ['rain', 'choice'],
      ['peak', 'number'],
    ]);
  });

  it('offers the runs of the scenario that a field names', () => {
    expect(field('earlier').asks).toEqual({ kind: 'pick', of: 'run', among: 'flood' });
    expect(field('gauge').asks).toMatchObject({ of: 'datastream', among: 'rain' });
  });

  it('calls choices as the description does, or as the help explains them', () => {
    expect(field('rain').asks).toMatchObject({ choices: [{ title: words('None') }, { title: words('Storm') }] });
    expect(field('sluices').asks).toMatchObject({ choices: [{ title: { zh: '自动', en: 'by themselves' } }, { title: { zh: '关闭', en: 'closed' } }] });
    expect(field('sluices').help).toBeNull();
  });

  it('sends what was given and matters', () => {
    expect(inputsOf(groups, { hours: 6, rain: 'none', peak: 0.5 })).toEqual({});
    expect(inputsOf(groups, { hours: 3, rain: 'storm', peak: 0.5 })).toEqual({ hours: 3, rain: 'storm', peak: 0.5 });
    expect(matters(field('peak'), fields, {})).toBe(false);
  });

  it('knows what a number must be', () => {
    expect(beyond(field('hours'), 0)).toEqual({ than: 'scenario.above', value: 0 });
    expect(beyond(field('hours'), 200)).toEqual({ than: 'scenario.most', value: 168 });
    expect(beyond(field('peak'), 0)).toBeNull();
  });

  it('puts a refusal beside its fields', () => {
    const names = ['rain_mm_h', 'walls'];
    expect(faultsOf('inputs: rain_mm_h: too much; walls.0.line: outside', names)).toEqual({ rain_mm_h: 'too much', walls: 'line: outside' });
    expect(faultsOf('The city has no terrain', names)).toEqual({ '': 'The city has no terrain' });
  });

  it('reads rows as they are copied from a sheet', () => {
    expect(readRows('0 12\n1,30\n\n2\t8.5')).toEqual([[0, 12], [1, 30], [2, 8.5]]);
    expect(readRows('0 twelve')).toBeNull();
    expect(readRows(writeRows([[0, 1], [2, 3]]))).toEqual([[0, 1], [2, 3]]);
  });
});

describe('the clock', () => {
  const times = [0, 100, 300];
  it('stands between two states', () => {
    expect(between(times, -5)).toEqual({ from: 0, to: 0, part: 0 });
    expect(between(times, 200)).toEqual({ from: 1, to: 2, part: 0.5 });
    expect(between(times, 900)).toEqual({ from: 2, to: 2, part: 0 });
    expect(stepped(times, 200, -1)).toBe(100);
    expect(stepped(times, 200, 1)).toBe(300);
    expect(played(times, 290, 24_000, 1)).toBe(300);
  });

  it('says how long a run still takes once that can be known', () => {
    const told: readonly (readonly [at: number, progress: number])[] = [[0, 0], [2000, 6], [8000, 7], [14_000, 8]];
    const marks = told.reduce<readonly Mark[]>((seen, [at, progress]) => withMark(seen, { at, progress }), []);
    expect(marks[0]).toEqual({ at: 2000, progress: 6 });
    expect(timeLeft(marks, 15_000)).toBe(92 * 6000 - 1000);
    expect(timeLeft(marks.slice(0, 2), 15_000)).toBeNull();
    expect(timeLeft([], 15_000)).toBeNull();
  });
});

describe('values', () => {
  const state = (values: number[]): State => ({ from: Float32Array.from(values), to: Float32Array.from(values), part: 0, amount: true });
  const ramp = palette([[0, '#000000', 0], [1, '#ff0000', 1]], false);
  const red = 0xff0000ff;

  it('are read from the colours of tiles', () => {
    const packed = 10_000_000 + 1234;
    const bytes = Uint8ClampedArray.from([packed >> 16, (packed >> 8) & 255, packed & 255, 255, 0, 0, 0, 0]);
    expect([...decode(bytes, { base: -10_000, step: 0.001 })].map((value) => Number(value.toFixed(3)))).toEqual([1.234, NaN]);
    expect(addressOf('/t/{z}/{y}/{x}', 3, 5, 2, '2025-01-01T00:00:00Z')).toBe('/t/3/2/5?datetime=2025-01-01T00%3A00%3A00Z');
  });

  it('are painted by the ramp, nothing where there are none', () => {
    const pixels = new Uint32Array(3);
    paint(pixels, ramp, state([NaN, 1, 7]));
    expect([...pixels]).toEqual([0, red, red]);
  });

  it('are asked for where they are and in view, not finer than they are', () => {
    expect(gridOf([120, 28, 121, 29], [130, 28, 131, 29], 10, 14)).toBeNull();
    const grid = gridOf([120.9, 28.1, 121, 28.2], [120.95, 28.1, 121.05, 28.2], 18, 14);
    expect(grid?.zoom).toBeLessThanOrEqual(14);
    const [x = -1, y = -1] = grid ? pixelOf(grid, 120.95, 28.2) : [];
    expect([x >= 0 && x < 256, y >= 0 && y < 256]).toEqual([true, true]);
  });

  it('stand on the ground in a section', () => {
    const profile = { distances: [0, 10, 20, 30], coordinates: [], values: [null, 1, 2, null], unit: 'm' };
    const drawn = section([profile], [5, 4, 3, 5]);
    expect(drawn.waters[0]?.bodies).toEqual([{ top: [[0, 5], [10, 5], [20, 5], [30, 5]], bottom: [[0, 5], [10, 4], [20, 3], [30, 5]] }]);
    expect([drawn.length, drawn.least <= 3, drawn.most >= 5]).toEqual([30, true, true]);
  });

  it('reach from bank to bank of a river that one place of a section meets', () => {
    const profile = { distances: [0, 10, 20], coordinates: [], values: [null, 2, null], unit: 'm' };
    expect(section([profile], [4, 0, 1]).waters[0]?.bodies).toEqual([{ top: [[5, 2], [10, 2], [15, 2]], bottom: [[5, 2], [10, 0], [15, 0.5]] }]);
  });
});

describe('runs of traffic together', () => {
  const job = (jobID: string): Job => ({ jobID, twin: { layers: ['traffic', 'usual', 'change', 'closed'].map((role) => ({ role, id: `${jobID}_${role}`, kind: 'vector', times: [] })) } }) as unknown as Job;
  const ids = () => otherVectors.value.map(({ id }) => id);

  it('open with what changes and what is closed', () => {
    run.value = job('a');
    expect(vectors.value.map(({ role }) => role)).toEqual(['change', 'closed']);
    expect(ids()).toEqual([]);
  });

  it('lie beside each other by the same layers, and the city as it is beside what it would be', () => {
    setBeside('b');
    other.value = job('b');
    expect(ids()).toEqual(['b_traffic', 'b_closed']);
    other.value = job('a');
    expect(ids()).toEqual(['a_usual']);
  });
});

describe('a run that is asked again', () => {
  const job = (start: string | null) => ({ twin: { inputs: { start, hours: 6 }, layers: [{ times: ['2026-08-01T10:00:00+08:00', '2026-08-01T01:00:00+00:00'] }] } }) as unknown as Job;

  it('is of the same hour, so that both lie under one clock', () => {
    expect(askedOf(job(null))).toEqual({ start: '2026-08-01T01:00:00.000Z', hours: 6 });
    expect(askedOf(job('2026-07-01T00:00:00+08:00'))['start']).toBe('2026-06-30T16:00:00.000Z');
  });
});

describe('counts beside a run', () => {
  const table = {
    columns: ['time', 'hour', 'counter', 'datastream', 'link', 'link_back', 'days', 'counted', 'computed', 'geh'],
    rows: [
      [null, 7, 'East', 3, '14-0', null, 20, 450, 550, 4.47],
      [null, 7, 'Middle', 4, '14-1', '14-0', 20, 900, 1000, 3.24],
      [null, 8, 'East', 3, '14-0', null, 20, 450, 700, 10.43],
      [null, 7, 'Elsewhere', 5, '15-0', null, 20, 1, 1, 0],
    ],
  };

  it('are those of the counters on a link, either way where they tell no direction', () => {
    expect(countsOf(table, '14-0').map((hours) => hours.map(({ counter, hour }) => [counter, hour]))).toEqual([[['East', 7], ['East', 8]], [['Middle', 7]]]);
    expect(countsOf(table, '14-1').flat().map(({ counter }) => counter)).toEqual(['Middle']);
    expect(countsOf(table, '16-0')).toEqual([]);
  });

  it('of a file have names and no datastream', () => {
    const rows = ['North', 'South', 'North'].map((counter, n) => [null, 7 + n, counter, null, '14-0', null, 1, 100, 90, 1.03]);
    expect(countsOf({ ...table, rows }, '14-0').map((hours) => hours.map(({ hour }) => hour))).toEqual([[7, 9], [8]]);
  });

  it('are met well below 5, and badly above 10', () => {
    expect([0, 4.99, 5, 10, 10.01].map(gradeOf)).toEqual(['counts.good', 'counts.good', 'counts.fair', 'counts.fair', 'counts.poor']);
  });
});
