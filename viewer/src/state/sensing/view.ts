/** What of the sensors is on the screen, and how the link holds it. */

export type Span = '24h' | '7d' | 'all' | 'window';
export const SPANS: readonly Span[] = ['24h', '7d', 'all', 'window'];

/** A time that something happened in: minutes in UTC, "2026-11-23T06:05Z". */
export interface TimeWindow {
  readonly from: string;
  readonly to: string;
}

export interface SensingView {
  /** Datastreams whose card is open, the foremost first; empty: no card. */
  readonly streams: readonly number[];
  /** The event whose card is open. */
  readonly event: number | null;
  /** Kinds that the map does not show. */
  readonly hidden: readonly string[];
  readonly span: Span;
  readonly typhoon: string | null;
  /** The time that is looked at as a whole; null: none, the time bar is closed. */
  readonly window: TimeWindow | null;
  /** The map's clock, a minute in UTC; null: now, live. */
  readonly moment: string | null;
}

export const NO_SENSING: SensingView = { streams: [], event: null, hidden: [], span: '24h', typhoon: null, window: null, moment: null };

/** As many as a chart can tell apart. */
export const MOST_STREAMS = 6;

const MINUTE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z$/;

export function isMinute(text: string): boolean {
  if (!MINUTE.test(text)) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && minuteOf(time) === text;
}

/** The minute that a moment (milliseconds since 1970) lies in. */
export function minuteOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16)}Z`;
}

/** The values of the link; what says nothing is left out. */
export function encodeSensing(view: SensingView): [string, string][] {
  const parts: [string, string][] = [];
  if (view.streams.length > 0) parts.push(['sensors', view.streams.join(',')]);
  if (view.event !== null) parts.push(['event', String(view.event)]);
  if (view.hidden.length > 0) parts.push(['hide', view.hidden.join(',')]);
  if (view.span !== '24h') parts.push(['span', view.span]);
  if (view.typhoon !== null) parts.push(['typhoon', view.typhoon]);
  if (view.window) parts.push(['window', `${view.window.from}/${view.window.to}`]);
  if (view.moment !== null) parts.push(['time', view.moment]);
  return parts;
}

export function decodeSensing(values: URLSearchParams, defaults: SensingView): SensingView {
  const event = wholeNumber(values.get('event') ?? '');
  const moment = values.get('time');
  const typhoon = values.get('typhoon');
  const streams = (values.get('sensors') ?? '').split(',').flatMap((part) => wholeNumber(part) ?? []);
  return {
    streams: values.has('sensors') ? [...new Set(streams)].slice(0, MOST_STREAMS) : defaults.streams,
    event: event ?? defaults.event,
    hidden: values.has('hide') ? names(values.get('hide') ?? '') : defaults.hidden,
    span: SPANS.find((span) => span === values.get('span')) ?? defaults.span,
    typhoon: typhoon !== null && /^[\w-]{1,32}$/.test(typhoon) ? typhoon : defaults.typhoon,
    window: readWindow(values.get('window')) ?? defaults.window,
    moment: moment !== null && isMinute(moment) ? moment : defaults.moment,
  };
}

function readWindow(text: string | null): TimeWindow | null {
  const [from = '', to = ''] = (text ?? '').split('/');
  return isMinute(from) && isMinute(to) && from < to ? { from, to } : null;
}

function wholeNumber(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function names(text: string): string[] {
  return [...new Set(text.split(',').filter((name) => /^[a-z][a-z0-9_]{0,62}$/.test(name)))];
}
