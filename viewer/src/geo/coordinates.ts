/** Places written by people: parsing and formatting of coordinates. Degrees are decimal, longitude and latitude named. */

import type { CoordinateFormat, Language } from '../state/view';
import type { Box } from '../api/documents';

export interface Place {
  readonly lng: number;
  readonly lat: number;
}

/** East and north in metres, in the city's metric CRS. */
export interface Metres {
  readonly east: number;
  readonly north: number;
}

const EARTH_RADIUS = 6378137;
const MERCATOR_LIMIT = 85.0511287798066;

/** EPSG:3857 of a place. */
export function toMercator({ lng, lat }: Place): Metres {
  const clipped = Math.max(-MERCATOR_LIMIT, Math.min(MERCATOR_LIMIT, lat));
  return {
    east: (EARTH_RADIUS * lng * Math.PI) / 180,
    north: EARTH_RADIUS * Math.log(Math.tan(Math.PI / 4 + (clipped * Math.PI) / 360)),
  };
}

/** A place in the chosen form; metres are given by the caller where the city's CRS is chosen. */
export function formatPlace(place: Place, format: CoordinateFormat, metres: Metres | null, language: Language): string {
  if (format === 'degrees') return `${hemisphere(place.lat, 'lat', language, decimal)}  ${hemisphere(place.lng, 'lng', language, decimal)}`;
  if (format === 'dms') return `${hemisphere(place.lat, 'lat', language, sexagesimal)}  ${hemisphere(place.lng, 'lng', language, sexagesimal)}`;
  const { east, north } = format === 'metric' && metres ? metres : toMercator(place);
  return language === 'zh' ? `东 ${east.toFixed(1)}  北 ${north.toFixed(1)}` : `E ${east.toFixed(1)}  N ${north.toFixed(1)}`;
}

type Axis = 'lat' | 'lng';

const LETTERS: Readonly<Record<Language, Readonly<Record<Axis, readonly [string, string]>>>> = {
  en: { lat: ['N', 'S'], lng: ['E', 'W'] },
  zh: { lat: ['北纬', '南纬'], lng: ['东经', '西经'] },
};

function hemisphere(value: number, axis: Axis, language: Language, write: (value: number) => string): string {
  const letter = LETTERS[language][axis][value < 0 ? 1 : 0];
  const text = write(Math.abs(value));
  return language === 'zh' ? `${letter} ${text}` : `${text} ${letter}`;
}

function decimal(value: number): string {
  return `${value.toFixed(6)}°`;
}

function sexagesimal(value: number): string {
  // Tenths of a second (about 3 m), carried so that 59.96" never shows as 60.0".
  const tenths = Math.round(value * 36000);
  const degrees = Math.floor(tenths / 36000);
  const minutes = Math.floor((tenths % 36000) / 600);
  const seconds = (tenths % 600) / 10;
  return `${degrees}°${String(minutes).padStart(2, '0')}′${seconds.toFixed(1).padStart(4, '0')}″`;
}

interface Angle {
  readonly value: number;
  readonly axis: Axis | null;
}

const ANGLE =
  /(北纬|南纬|东经|西经|[NSEW])?\s*([+-]?\d+(?:\.\d+)?)\s*[°度d]?\s*(?:(\d+(?:\.\d+)?)\s*['′分m]\s*)?(?:(\d+(?:\.\d+)?)\s*["″秒s]\s*)?([NSEW](?![a-z]))?/giy;

/**
 * A place typed by a person: "27.99, 120.95", "120.95 27.99", "27°59'24\"N 120°57'E", "北纬27.99 东经120.95".
 * Without letters the order is taken from what is possible (|latitude| <= 90), then from the city's box, else
 * longitude first. Returns null for what is no place.
 */
export function parsePlace(text: string, city: Box | null): Place | null {
  const angles = readAngles(text.trim());
  if (!angles || angles.length !== 2) return null;
  const [first, second] = angles as [Angle, Angle];
  if (first.axis !== null && first.axis === second.axis) return null;
  const named = first.axis ?? (second.axis === null ? null : second.axis === 'lat' ? 'lng' : 'lat');
  const asLngLat = { lng: first.value, lat: second.value };
  const asLatLng = { lng: second.value, lat: first.value };
  if (named !== null) return valid(named === 'lng' ? asLngLat : asLatLng);
  const possible = [asLngLat, asLatLng].filter((place) => valid(place) !== null);
  return possible.find((place) => city !== null && inside(place, city)) ?? possible[0] ?? null;
}

/** Two numbers of metres in the city's metric CRS, in either order; the city's box decides. Null for anything else. */
export function parseMetres(text: string): readonly [number, number] | null {
  const match = /^\s*[EN东北]?\s*(\d{4,8}(?:\.\d+)?)\s*[,，;\s]\s*[EN东北]?\s*(\d{4,8}(?:\.\d+)?)\s*$/i.exec(text);
  return match ? [Number(match[1]), Number(match[2])] : null;
}

export function inside({ lng, lat }: Place, [west, south, east, north]: Box, margin = 1): boolean {
  return lng >= west - margin && lng <= east + margin && lat >= south - margin && lat <= north + margin;
}

function valid(place: Place): Place | null {
  return Math.abs(place.lat) <= 90 && Math.abs(place.lng) <= 180 ? place : null;
}

function readAngles(text: string): Angle[] | null {
  const angles: Angle[] = [];
  let position = 0;
  while (position < text.length) {
    const gap = /^[\s,，;；]+/.exec(text.slice(position));
    if (gap) position += gap[0].length;
    ANGLE.lastIndex = position;
    const match = ANGLE.exec(text);
    if (!match) return position < text.length ? null : angles;
    angles.push(readAngle(match));
    position = ANGLE.lastIndex;
  }
  return angles;
}

function readAngle(match: RegExpExecArray): Angle {
  const [, before, degrees = '0', minutes = '0', seconds = '0', after] = match;
  const letter = (before ?? after ?? '').toUpperCase();
  const size = Math.abs(Number(degrees)) + Number(minutes) / 60 + Number(seconds) / 3600;
  const negative = degrees.startsWith('-') !== /^(S|W|南纬|西经)$/.test(letter);
  const axis = letter === '' ? null : /^(N|S|北纬|南纬)$/.test(letter) ? 'lat' : 'lng';
  return { value: negative ? -size : size, axis };
}
