/** The links in which two runs of traffic differ, coloured by which way and as wide as the difference. Pure. */

import type { ExpressionSpecification, FilterSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { LinkDifference } from '../../state/scenarios/link_difference';
import { MEASURED } from '../../state/scenarios/links';
import type { Measure } from '../../state/scenarios/view';

/** From the least class to the greatest: blue is better, red is worse, for eyes that confuse red and green as well. */
const BETTER = ['#9ecae1', '#6baed6', '#2171b5', '#08306b'] as const;
const WORSE = ['#fcae91', '#fb6a4a', '#cb181d', '#67000d'] as const;
/** Pixels. Half of it and a little, so that both directions of a road lie beside each other. */
const WIDTHS = [1.8, 3, 5, 8] as const;
const NEW = '#7b3fa0';

export interface DifferenceClass {
  /** The smaller end first; null: none. */
  readonly from: number | null;
  readonly to: number | null;
  readonly colour: string;
  readonly width: number;
}

/** The classes of a difference from the least to the greatest; what lies between the two halves is not told. */
export function classesOf(measure: Measure): readonly DifferenceClass[] {
  const { classes, worse } = MEASURED[measure];
  const [more, less] = worse > 0 ? [WORSE, BETTER] : [BETTER, WORSE];
  const half = classes.map((from, index) => ({ from, to: classes[index + 1] ?? null, width: WIDTHS[index] ?? 0 }));
  const upper = half.map((each, index) => ({ ...each, colour: more[index] ?? '' }));
  const lower = half.map(({ from, to, width }, index) => ({ from: to === null ? null : -to, to: -from, width, colour: less[index] ?? '' }));
  return [...lower.reverse(), ...upper];
}

/** What a road that only one run has is drawn in. */
export const NEW_ROAD: DifferenceClass = { from: null, to: null, colour: NEW, width: 4 };

export function differenceStyle({ differences, layers, measure }: LinkDifference): StyleSpecification {
  const classes = classesOf(measure);
  const stepped = (of: (each: DifferenceClass) => string | number): ExpressionSpecification => {
    const [first, ...others] = classes.map(of);
    const bounds = classes.slice(0, -1).map(({ to }, index) => to ?? classes[index + 1]?.from ?? 0);
    return ['step', ['get', 'change'], first, ...others.flatMap((value, index) => [bounds[index], value])] as unknown as ExpressionSpecification;
  };
  const links = (run: 'a' | 'b', index: 0 | 1): LayerSpecification[] => {
    const own = { type: 'line', source: 'links', layout: { 'line-cap': 'round', 'line-join': 'round' }, metadata: { 'twin:layer': layers[index].id } } as const;
    const filter = (isNew: boolean): FilterSpecification => ['all', ['==', ['get', 'run'], run], ['==', ['get', 'isNew'], isNew]];
    const offset = stepped(({ width }) => width / 2 + 0.5);
    return [
      { ...own, id: `links-${run}`, filter: filter(false), paint: { 'line-color': stepped(({ colour }) => colour), 'line-width': stepped(({ width }) => width), 'line-offset': offset } },
      { ...own, id: `new-${run}`, layout: { 'line-join': 'round' }, filter: filter(true), paint: { 'line-color': NEW, 'line-width': NEW_ROAD.width, 'line-offset': 2.5, 'line-dasharray': [1.6, 0.8] } },
    ];
  };
  return { version: 8, sources: { links: { type: 'geojson', data: differences } }, layers: [...links('a', 0), ...links('b', 1)] };
}
