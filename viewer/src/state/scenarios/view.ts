/** What of the scenarios is on the screen, and how the link holds it. Pure. */

/** How two runs are looked at together. */
export type Comparison = 'swipe' | 'difference';

export interface ScenarioView {
  /** The run that is open; null: none. */
  readonly run: string | null;
  /** Roles of its layers on the map: at most one raster, and others over it; null: as it opens. */
  readonly roles: readonly string[] | null;
  /** The run beside it. */
  readonly other: string | null;
  readonly comparison: Comparison;
}

export const NO_SCENARIO: ScenarioView = { run: null, roles: null, other: null, comparison: 'swipe' };

const JOB = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ROLE = /^[a-z][a-z0-9_]{0,40}$/;

/** The values of the link; what says nothing is left out. */
export function encodeScenario({ run, roles, other, comparison }: ScenarioView): [string, string][] {
  if (run === null) return [];
  const parts: [string, string][] = [['run', run]];
  if (roles !== null) parts.push(['results', roles.join(',')]);
  if (other !== null) parts.push(['beside', other], ['comparison', comparison]);
  return parts;
}

export function decodeScenario(values: URLSearchParams, defaults: ScenarioView): ScenarioView {
  const run = jobOf(values.get('run'));
  if (run === null) return defaults;
  const roles = values.get('results');
  return {
    run,
    roles: roles === null ? null : roles.split(',').filter((role) => ROLE.test(role)),
    other: jobOf(values.get('beside')),
    comparison: values.get('comparison') === 'difference' ? 'difference' : 'swipe',
  };
}

function jobOf(text: string | null): string | null {
  return text !== null && JOB.test(text) ? text : null;
}
