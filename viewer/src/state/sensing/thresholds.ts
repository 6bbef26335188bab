/** The heights that a sensor's values are measured by: its station's reference levels, and what the rules watch. Pure. */

import type { Rule, RuleCondition, Severity } from '../../api/sensing';
import type { Text } from '../../api/documents';
import type { Sensor } from './states';

export interface Threshold {
  /** Name of a reference level, or the title of the rule that watches the value. */
  readonly level: string | null;
  readonly title: Text | null;
  readonly value: number;
  readonly severity: Severity;
}

/** Severity of levels that no rule watches. */
const USUAL: Readonly<Record<string, Severity>> = { flood_limit: 'blue', warning: 'orange', guaranteed: 'red', blue: 'blue', yellow: 'yellow', orange: 'orange', red: 'red' };

export function thresholdsOf({ id, kind, levels }: Pick<Sensor, 'id' | 'kind' | 'levels'>, rules: readonly Rule[]): readonly Threshold[] {
  const own = rules.filter((rule) => rule.enabled && (rule.applies.kinds?.includes(kind) || rule.applies.datastreams?.includes(id)));
  const watched = own.flatMap((rule) => heights(rule.condition.when).map((each) => ({ ...each, rule })));
  const severityOf = (level: string): Severity => watched.find((each) => each.level === level)?.rule.severity ?? USUAL[level] ?? 'blue';
  return [
    ...Object.entries(levels).map(([level, value]): Threshold => ({ level, title: null, value, severity: severityOf(level) })),
    ...watched.flatMap(({ rule, value }): Threshold[] =>
      value === undefined ? [] : [{ level: null, title: { zh: rule.title_zh, en: rule.title_en }, value, severity: rule.severity }],
    ),
  ];
}

/** The values and levels that a condition compares readings with, not their sums or changes. */
function heights(condition: RuleCondition): readonly Pick<RuleCondition, 'level' | 'value'>[] {
  if (condition.of) return condition.of.flatMap(heights);
  if (condition.type !== 'threshold') return [];
  const { level, value } = condition;
  return [{ ...(level === undefined ? {} : { level }), ...(value === undefined ? {} : { value }) }];
}
