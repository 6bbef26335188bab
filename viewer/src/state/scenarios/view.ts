/** What of the scenarios is on the screen, and how the link holds it. Pure. */

/** How two runs are looked at together. */
export type Comparison = 'swipe' | 'side' | 'difference';

/** What of a link differs. */
export type Measure = 'volume' | 'speed_kmh' | 'delay_s' | 'load';

export const COMPARISONS: readonly Comparison[] = ['swipe', 'side', 'difference'];
export const MEASURES: readonly Measure[] = ['volume', 'speed_kmh', 'delay_s', 'load'];

export interface ScenarioView {
  /** The run that is open; null: none. */
  readonly run: string | null;
  /** Roles of its layers on the map: at most one raster, and others over it; null: as it opens. */
  readonly roles: readonly string[] | null;
  /** The run beside it. */
  readonly other: string | null;
  readonly comparison: Comparison;
  /** Where the line between two runs stands, a share of the map's width. */
  readonly line: number;
  readonly measure: Measure;
}

export const NO_SCENARIO: ScenarioView = { run: null, roles: null, other: null, comparison: 'swipe', line: 0.5, measure: 'volume' };

const JOB = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ROLE = /^[a-z][a-z0-9_]{0,40}$/;

/** The values of the link; what says nothing is left out. */
export function encodeScenario({ run, roles, other, comparison, line, measure }: ScenarioView): [string, string][] {
  if (run === null) return [];
  const parts: [string, string][] = [['run', run]];
  if (roles !== null) parts.push(['results', roles.join(',')]);
  if (other === null) return parts;
  parts.push(['beside', other], ['comparison', comparison]);
  if (line !== NO_SCENARIO.line) parts.push(['line', String(line)]);
  if (measure !== NO_SCENARIO.measure) parts.push(['measure', measure]);
  return parts;
}

export function decodeScenario(values: URLSearchParams, defaults: ScenarioView): ScenarioView {
  const run = jobOf(values.get('run'));
  if (run === null) return defaults;
  const roles = values.get('results');
  const line = Number(values.get('line') ?? NO_SCENARIO.line);
  return {
    run,
    roles: roles === null ? null : roles.split(',').filter((role) => ROLE.test(role)),
    other: jobOf(values.get('beside')),
    comparison: COMPARISONS.find((way) => way === values.get('comparison')) ?? 'swipe',
    line: line > 0 && line < 1 ? Math.round(line * 100) / 100 : NO_SCENARIO.line,
    measure: MEASURES.find((measure) => measure === values.get('measure')) ?? NO_SCENARIO.measure,
  };
}

function jobOf(text: string | null): string | null {
  return text !== null && JOB.test(text) ? text : null;
}
