/** The scale bar's length, boxes of shapes, and which of two places is nearer. */

import type { Geometry, Position } from 'geojson';
import type { Box } from '../api/documents';

/** Ground metres a screen pixel at a latitude and MapLibre zoom (512 px tiles). */
export function metresPerPixel(lat: number, zoom: number): number {
  return (2 * Math.PI * 6378137 * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** zoom);
}

export interface ScaleBar {
  readonly metres: number;
  readonly pixels: number;
}

/** How far two places lie apart, for putting them in order: degrees of latitude; Infinity where one has no place. */
export function apart(a: readonly number[] | null, b: readonly number[] | null): number {
  const [[x, y], [u, v]] = [a ?? [], b ?? []] as const;
  if (x === undefined || y === undefined || u === undefined || v === undefined) return Infinity;
  return Math.hypot((u - x) * Math.cos((y * Math.PI) / 180), v - y);
}

/** The longest bar of 1, 2 or 5 times a power of ten metres that fits into so many pixels. */
export function scaleBar(perPixel: number, widest: number): ScaleBar {
  const most = perPixel * widest;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = ([5, 2, 1].find((step) => step * power <= most) ?? 1) * power;
  return { metres, pixels: metres / perPixel };
}

export function formatLength(metres: number): string {
  if (metres >= 1000) return `${metres / 1000} km`;
  return metres >= 1 ? `${metres} m` : `${Math.round(metres * 100)} cm`;
}

/** The box around a shape; null if it has no point. */
export function boxOf(geometry: Geometry | null): Box | null {
  if (!geometry) return null;
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  const grow = (part: Position | readonly unknown[]): void => {
    const [x, y] = part;
    if (typeof x === 'number' && typeof y === 'number') {
      west = Math.min(west, x);
      south = Math.min(south, y);
      east = Math.max(east, x);
      north = Math.max(north, y);
    } else part.forEach((child) => grow(child as readonly unknown[]));
  };
  if (geometry.type === 'GeometryCollection') {
    const boxes = geometry.geometries.map(boxOf).filter((box) => box !== null);
    boxes.forEach((box) => grow([[box[0], box[1]], [box[2], box[3]]]));
  } else grow(geometry.coordinates);
  return west <= east ? [west, south, east, north] : null;
}
