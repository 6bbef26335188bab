/** The part of the value tiles that the map needs: which zoom, which tiles, where they lie. Pure. */

import type { Box } from '../../api/documents';

export interface Grid {
  readonly zoom: number;
  /** Columns and rows of tiles, the last ones excluded. */
  readonly west: number;
  readonly east: number;
  readonly north: number;
  readonly south: number;
}

export const TILE = 256;
/** More would take longer to colour than a state of water is looked at. */
const MOST_TILES = 24;

/** The tiles over what is both in view and in the layer, as fine as the screen and the layer are; null where none is. */
export function gridOf(view: Box, bounds: Box, zoom: number, finest: number): Grid | null {
  const both = common(view, bounds);
  if (!both) return null;
  const [west, south, east, north] = both;
  // Tiles of 256 pixels, where the map counts in tiles of 512.
  for (let wanted = Math.max(0, Math.min(finest, Math.ceil(zoom + 1))); ; wanted -= 1) {
    const grid = { zoom: wanted, west: Math.floor(column(west, wanted)), east: Math.ceil(column(east, wanted)), north: Math.floor(row(north, wanted)), south: Math.ceil(row(south, wanted)) };
    if (wanted === 0 || (grid.east - grid.west) * (grid.south - grid.north) <= MOST_TILES) return grid;
  }
}

/** What lies in both boxes; null: nothing does. */
export function common(a: Box, b: Box): Box | null {
  const [west, south, east, north] = [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
  return west < east && south < north ? [west, south, east, north] : null;
}

export function sameGrid(a: Grid | null, b: Grid | null): boolean {
  return a !== null && b !== null && nameOf(a) === nameOf(b);
}

export function nameOf({ zoom, west, east, north, south }: Grid): string {
  return [zoom, west, east, north, south].join('/');
}

/** West, south, east, north in degrees. */
export function boxOf({ zoom, west, east, north, south }: Grid): Box {
  return [longitude(west, zoom), latitude(south, zoom), longitude(east, zoom), latitude(north, zoom)];
}

/** A place in pixels of the grid's picture. */
export function pixelOf({ zoom, west, north }: Grid, lng: number, lat: number): readonly [number, number] {
  return [(column(lng, zoom) - west) * TILE, (row(lat, zoom) - north) * TILE];
}

function column(lng: number, zoom: number): number {
  return ((lng + 180) / 360) * 2 ** zoom;
}

function row(lat: number, zoom: number): number {
  return ((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * 2 ** zoom;
}

function longitude(x: number, zoom: number): number {
  return (x / 2 ** zoom) * 360 - 180;
}

function latitude(y: number, zoom: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / 2 ** zoom))) * 180) / Math.PI;
}
