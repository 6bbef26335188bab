/** What a sensor's state, kind and value look like and are called. Pure. */

import type { Key } from '../../i18n/en';
import type { Camera, CityObject, Latest, LatestProperties, Severity } from '../../api/sensing';
import type { Language } from '../view';
import { formatNumber } from '../../i18n/text';

/** How a sensor stands on the map: its alarm's colour, or why it has none. Silent is never "ok". */
export type Look = 'ok' | Severity | 'silent' | 'unknown';

export const SEVERITIES: readonly Severity[] = ['red', 'orange', 'yellow', 'blue'];
/** The worst first. */
export const LOOKS: readonly Look[] = [...SEVERITIES, 'silent', 'unknown', 'ok'];

export interface Sensor {
  readonly id: number;
  readonly kind: string;
  /** The station. */
  readonly title: string;
  /** What it observes. */
  readonly property: string;
  readonly unit: string | null;
  readonly result: unknown;
  /** Milliseconds since 1970; null: no reading has ever come. */
  readonly time: number | null;
  readonly look: Look;
  readonly event: number | null;
  readonly place: readonly [number, number] | null;
  readonly levels: Readonly<Record<string, number>>;
  readonly datum: string | null;
  readonly objects: readonly CityObject[];
  /** What is seen there; such a sensor tells no values. */
  readonly camera: Camera | null;
}

export function readSensor({ geometry, properties }: Latest): Sensor {
  const [lng, lat] = geometry?.coordinates ?? [];
  return {
    id: properties.datastream,
    kind: properties.kind,
    title: properties.title,
    property: properties.name,
    unit: properties.unit,
    result: properties.result,
    time: properties.time === null ? null : Date.parse(properties.time),
    look: lookOf(properties),
    event: properties.event,
    place: lng === undefined || lat === undefined ? null : [lng, lat],
    levels: properties.levels ?? {},
    datum: properties.datum,
    objects: properties.objects ?? [],
    camera: properties.camera ?? null,
  };
}

export function lookOf({ state, severity, camera }: Pick<LatestProperties, 'state' | 'severity' | 'camera'>): Look {
  // A camera tells no values, and so falls silent of none.
  if (camera && state === 'unknown') return 'ok';
  if (state === 'silent' || state === 'unknown') return state;
  return severity ?? 'ok';
}

/** Colours that stand on both map styles; severities as the four warning signals have them. */
export const COLOURS: Readonly<Record<Look, string>> = {
  red: '#d3202f',
  orange: '#e8710a',
  yellow: '#d9a400',
  blue: '#1a6fd1',
  silent: '#6b7684',
  unknown: '#6b7684',
  ok: '#0f7b66',
};

/** The four grades as they are written in China, so that colour is never alone. */
export const GRADES: Readonly<Record<Severity, string>> = { blue: 'Ⅳ', yellow: 'Ⅲ', orange: 'Ⅱ', red: 'Ⅰ' };

export const LOOK_KEYS = {
  red: 'look.red',
  orange: 'look.orange',
  yellow: 'look.yellow',
  blue: 'look.blue',
  silent: 'look.silent',
  unknown: 'look.unknown',
  ok: 'look.ok',
} as const satisfies Readonly<Record<Look, Key>>;

const KIND_KEYS = {
  rain: 'kind.rain',
  water_level: 'kind.water_level',
  tide: 'kind.tide',
  flow: 'kind.flow',
  pump: 'kind.pump',
  sluice: 'kind.sluice',
  wind: 'kind.wind',
  weather: 'kind.weather',
  air_quality: 'kind.air_quality',
  traffic: 'kind.traffic',
  parking: 'kind.parking',
  energy: 'kind.energy',
  camera: 'kind.camera',
  other: 'kind.other',
} as const satisfies Readonly<Record<string, Key>>;

export type Kind = keyof typeof KIND_KEYS;
/** As a duty officer in a storm wants them: water first. */
export const KINDS = Object.keys(KIND_KEYS) as readonly Kind[];

export function isKind(kind: string): kind is Kind {
  return kind in KIND_KEYS;
}

/** The catalogue key of a kind's title; null for a kind that the city made itself. */
export function kindKey(kind: string): (typeof KIND_KEYS)[Kind] | null {
  return isKind(kind) ? KIND_KEYS[kind] : null;
}

/** Whether a value is an amount of the time before it, so that values are added up, not averaged. */
export function isTotal(kind: string): boolean {
  return kind === 'rain';
}

const UNITS: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  'ug/m3': ['µg/m³', 'µg/m³'],
  'm3/s': ['m³/s', 'm³/s'],
  km2: ['km²', 'km²'],
  m2: ['m²', 'm²'],
  m3: ['m³', 'm³'],
  a: ['年', 'years'],
  '1/h': ['/h', '/h'],
  CNY: ['元', 'CNY'],
  '{vehicle}/h': ['辆/h', 'veh/h'],
  '{place}': ['个', 'places'],
  Cel: ['°C', '°C'],
  'kW.h': ['kWh', 'kWh'],
  '%{RH}': ['%', '%'],
};

/** A UCUM unit as people write it. */
export function unitText(unit: string | null, language: Language): string {
  if (unit === null || unit === '1') return '';
  const known = UNITS[unit];
  return known ? known[language === 'zh' ? 0 : 1] : unit;
}

/** Decimals that say something, by the size of the value. */
export function decimals(value: number): number {
  const size = Math.abs(value);
  return size >= 100 ? 0 : size >= 10 ? 1 : 2;
}

/** A result as text, without its unit; null where there is none. */
export function resultText(result: unknown, language: Language): string | null {
  if (typeof result === 'number') return formatNumber(result, language, decimals(result));
  if (typeof result === 'string') return result;
  return result === null || result === undefined ? null : JSON.stringify(result);
}

/** The value and its unit, as one label. */
export function valueText({ result, unit }: Pick<Sensor, 'result' | 'unit'>, language: Language): string {
  const text = resultText(result, language);
  return text === null ? '—' : `${text} ${unitText(unit, language)}`.trim();
}

/** How many sensors of each look; cameras have none but for an event. */
export function countLooks(sensors: Iterable<Sensor>): Record<Look, number> {
  const counts: Record<Look, number> = { red: 0, orange: 0, yellow: 0, blue: 0, silent: 0, unknown: 0, ok: 0 };
  for (const { look, camera } of sensors) if (!camera || look !== 'ok') counts[look] += 1;
  return counts;
}

/** The worst first, then by name. */
export function byUrgency(a: Sensor, b: Sensor): number {
  return LOOKS.indexOf(a.look) - LOOKS.indexOf(b.look) || a.title.localeCompare(b.title, 'zh-CN', { numeric: true });
}

/** How long ago in words' parts: the largest unit that fits. */
export function age(milliseconds: number): { readonly count: number; readonly unit: 's' | 'min' | 'h' | 'd' } {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 90) return { count: seconds, unit: 's' };
  if (seconds < 5400) return { count: Math.round(seconds / 60), unit: 'min' };
  if (seconds < 129_600) return { count: Math.round(seconds / 3600), unit: 'h' };
  return { count: Math.round(seconds / 86_400), unit: 'd' };
}
