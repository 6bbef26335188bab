/** Tracks of single vehicles, and where each is at a moment. Pure. */

import type { FeatureCollection, Point } from 'geojson';

/** The file as a run writes it. x, y: each place as the difference to the one before, the first one to the origin. */
export interface TracksFile {
  readonly begins: string;
  readonly step_s: number;
  /** Of these to a degree. */
  readonly units: number;
  readonly origin: readonly [number, number];
  readonly vehicles: readonly { readonly type: string; readonly from: number; readonly x: readonly number[]; readonly y: readonly number[] }[];
}

interface Track {
  readonly lorry: boolean;
  /** Index of the step at which it is there first. */
  readonly from: number;
  readonly lng: Float64Array;
  readonly lat: Float64Array;
}

export interface Tracks {
  /** Milliseconds since 1970, and between two places. */
  readonly begins: number;
  readonly step: number;
  readonly vehicles: readonly Track[];
}

export interface Vehicle {
  readonly lorry: boolean;
  readonly kmh: number;
}

const METRES_A_DEGREE = 111_320;

export function readTracks({ begins, step_s, units, origin, vehicles }: TracksFile): Tracks {
  return {
    begins: Date.parse(begins),
    step: step_s * 1000,
    vehicles: vehicles.map(({ type, from, x, y }) => ({ lorry: type === 'lorry', from, lng: summed(x, origin[0], units), lat: summed(y, origin[1], units) })),
  };
}

function summed(steps: readonly number[], start: number, units: number): Float64Array {
  let sum = 0;
  return Float64Array.from(steps, (step) => start + (sum += step) / units);
}

/** Between two steps a vehicle is on the straight line; after its last one it is gone. */
export function vehiclesAt({ begins, step, vehicles }: Tracks, moment: number): FeatureCollection<Point, Vehicle> {
  const at = (moment - begins) / step;
  const features: FeatureCollection<Point, Vehicle>['features'] = [];
  for (const { lorry, from, lng, lat } of vehicles) {
    const index = Math.floor(at - from);
    const part = at - from - index;
    const [east, north, nextEast, nextNorth] = [lng[index], lat[index], lng[index + 1], lat[index + 1]];
    if (east === undefined || north === undefined || (part > 0 && (nextEast === undefined || nextNorth === undefined))) continue;
    const [dx, dy] = [(nextEast ?? east) - east, (nextNorth ?? north) - north];
    const metres = Math.hypot(dx * Math.cos((north * Math.PI) / 180), dy) * METRES_A_DEGREE;
    const coordinates = [east + part * dx, north + part * dy];
    features.push({ type: 'Feature', geometry: { type: 'Point', coordinates }, properties: { lorry, kmh: (metres / step) * 3600 } });
  }
  return { type: 'FeatureCollection', features };
}
