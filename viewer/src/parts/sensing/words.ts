/** The words of sensors and events, in the view's language and the city's time. */

import type { Key } from '../../i18n/en';
import { formatNumber, number, t } from '../../i18n/text';
import type { EventState } from '../../api/sensing';
import { now } from '../../state/sensing/live';
import { age, decimals, kindKey, unitText, type Sensor } from '../../state/sensing/states';
import { dayAndTime, shortTime } from '../../state/sensing/times';
import { city } from '../../state/session';
import { view } from '../../state/store';

export function zone(): string {
  return city.value?.document.time_zone ?? 'UTC';
}

export function kindTitle(kind: string): string {
  const key = kindKey(kind);
  return key ? t(key) : kind;
}

/** "14:05", with the day before it where that is not today. time: milliseconds since 1970. */
export function timeText(time: number): string {
  return shortTime(time, zone(), now.value);
}

export function fullTime(time: number): string {
  return dayAndTime(time, zone());
}

const AGES = { s: 'age.s', min: 'age.min', h: 'age.h', d: 'age.d' } as const;

export function ageText(time: number): string {
  const { count, unit } = age(now.value - time);
  return t(AGES[unit], { count: number(count) });
}

const LEVELS: Readonly<Record<string, Key & `level.${string}`>> = {
  warning: 'level.warning',
  guaranteed: 'level.guaranteed',
  flood_limit: 'level.flood_limit',
  blue: 'level.blue',
  yellow: 'level.yellow',
  orange: 'level.orange',
  red: 'level.red',
};

/** The name of a reference level; one that a city made itself is called as it was. */
export function levelName(level: string): string {
  const key = LEVELS[level];
  return key ? t(key) : level;
}

export const HAZARDS: Readonly<Record<string, Key & `hazard.${string}`>> = {
  rainstorm: 'hazard.rainstorm',
  typhoon: 'hazard.typhoon',
  flood: 'hazard.flood',
  storm_surge: 'hazard.storm_surge',
  wind: 'hazard.wind',
};

export function hazardTitle(hazard: string): string {
  const key = HAZARDS[hazard];
  return key ? t(key) : hazard;
}

export const STATES = {
  raised: 'event.raised',
  acknowledged: 'event.acknowledged',
  assigned: 'event.assigned',
  in_work: 'event.in_work',
  resolved: 'event.resolved',
  closed: 'event.closed',
} as const satisfies Readonly<Record<EventState, Key>>;

/** A difference or a height with its unit, "0.52 m". */
export function measure(value: number, unit: string | null): string {
  const language = view.value.language;
  return `${formatNumber(value, language, decimals(value))} ${unitText(unit, language)}`.trim();
}

/** Where a value stands against the reference level that matters: the highest it has passed, else the lowest. */
export function standing({ result, levels, unit }: Sensor): { readonly text: string; readonly isAbove: boolean } | null {
  if (typeof result !== 'number') return null;
  const sorted = Object.entries(levels).sort((a, b) => a[1] - b[1]);
  const passed = sorted.filter(([, value]) => result >= value).at(-1);
  const [name, value] = passed ?? sorted[0] ?? [];
  if (name === undefined || value === undefined) return null;
  const words = { level: levelName(name), height: measure(Math.abs(result - value), unit) };
  return { text: passed ? t('sensor.above', words) : t('sensor.below', words), isAbove: passed !== undefined };
}
