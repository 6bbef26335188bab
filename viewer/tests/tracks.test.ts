/** Single vehicles of a run: where each is between two seconds, how fast, and when it is gone. */

import { describe, expect, it } from 'vitest';
import { HASTE, played } from '../src/state/scenarios/frames';
import { readTracks, vehiclesAt } from '../src/state/scenarios/tracks';

const BEGINS = '2026-11-24T17:00:00+08:00';
const start = Date.parse(BEGINS);
// Due north from the equator: 0.0001 degrees, 11.132 m, a step of 2 s.
const tracks = readTracks({
  begins: BEGINS,
  step_s: 2,
  units: 1e6,
  origin: [120, 0],
  vehicles: [
    { type: 'car', from: 1, x: [500, 0, 0], y: [0, 100, 100] },
    { type: 'lorry', from: 3, x: [0, 0], y: [50, 0] },
  ],
});
const at = (seconds: number) => vehiclesAt(tracks, start + seconds * 1000).features;

describe('tracks', () => {
  it('have a vehicle from its first place to its last', () => {
    expect([0, 1.9, 2, 6, 6.1, 8, 8.1].map((seconds) => at(seconds).length)).toEqual([0, 0, 1, 2, 1, 1, 0]);
  });

  it('lead straight from place to place', () => {
    const [car] = at(3);
    expect(car?.geometry.coordinates[0]).toBeCloseTo(120.0005, 9);
    expect(car?.geometry.coordinates[1]).toBeCloseTo(0.00005, 9);
    expect(car?.properties.kmh).toBeCloseTo((11.132 / 2) * 3.6, 3);
  });

  it('tell who stands, and lorries', () => {
    expect(at(7).map(({ properties }) => properties)).toEqual([{ lorry: true, kmh: 0 }]);
  });
});

it('time goes a given number of times as fast', () => {
  const times = [0, 600_000];
  expect(played(times, 0, 1000, 1, 600_000 / HASTE)).toBe(HASTE * 1000);
});
