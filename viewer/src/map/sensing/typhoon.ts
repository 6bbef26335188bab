/** A typhoon on the map: its track, where each agency expects it, how far its winds reach. Pure. */

import type { Feature, FeatureCollection } from 'geojson';
import type { ExpressionSpecification, FilterSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { StyleName } from '../../state/view';

const SOURCE = 'sensing-typhoon';
/** By the wind of GB/T 19201-2006, m/s from which on: depression, storm, severe storm, typhoon, severe, super. */
const GRADES: ExpressionSpecification = ['step', ['coalesce', ['get', 'wind_ms'], 0], '#2f9e63', 17.2, '#2563c9', 24.5, '#d9a400', 32.7, '#e8710a', 41.5, '#d6336c', 51, '#8d1fb0'];
/** Forecasts by agency, in the colours that China's typhoon maps use. */
const AGENCY: ExpressionSpecification = ['match', ['get', 'agency'], ['CMA', '中国', 'BABJ'], '#d3202f', ['JMA', '日本', 'RJTD'], '#0f7b66', ['JTWC', '美国', 'PGTW'], '#1a6fd1', ['HKO', '中国香港', 'VHHH'], '#8d1fb0', ['CWA', '中国台湾'], '#c2571b', '#52606e'];

/** The style with a typhoon, as `labelled` tells it, over the city and under its sensors. */
export function withTyphoon(style: StyleSpecification, typhoon: FeatureCollection | null, name: StyleName): StyleSpecification {
  if (!typhoon) return style;
  return { ...style, sources: { ...style.sources, [SOURCE]: { type: 'geojson', data: typhoon } }, layers: [...style.layers, ...layers(name)] };
}

/** The positions with what is written beside them: when, and how strong. */
export function labelled({ features }: FeatureCollection, time: (moment: string) => string): FeatureCollection {
  const told = features.map((feature): Feature => {
    const { role, at, wind_ms: wind, agency } = feature.properties ?? {};
    if (role !== 'position' && role !== 'forecast_position') return feature;
    const parts = [agency, typeof at === 'string' && time(at), typeof wind === 'number' && `${Math.round(wind)} m/s`].filter(Boolean);
    return { ...feature, properties: { ...feature.properties, label: parts.join(' ') } };
  });
  const last = told.findLast((feature) => feature.properties?.['role'] === 'position');
  return { type: 'FeatureCollection', features: told.map((each) => (each === last ? { ...each, properties: { ...each.properties, last: true } } : each)) };
}

const is = (role: string): FilterSpecification => ['==', ['get', 'role'], role];

function layers(style: StyleName): LayerSpecification[] {
  const [ink, paper] = style === 'night' ? ['#f2f6fa', '#0c1219'] : ['#16202b', '#ffffff'];
  const force: ExpressionSpecification = ['match', ['get', 'force'], 7, '#d9a400', 10, '#e8710a', 12, '#d3202f', '#6b7684'];
  const source = SOURCE;
  return [
    { id: 'sensing-typhoon-wind', type: 'fill', source, filter: is('wind'), paint: { 'fill-color': force, 'fill-opacity': 0.14 } },
    { id: 'sensing-typhoon-wind-edge', type: 'line', source, filter: is('wind'), paint: { 'line-color': force, 'line-width': 1.5 } },
    { id: 'sensing-typhoon-track', type: 'line', source, filter: is('track'), paint: { 'line-color': ink, 'line-width': 2 } },
    { id: 'sensing-typhoon-forecast', type: 'line', source, filter: is('forecast'), paint: { 'line-color': AGENCY, 'line-width': 2, 'line-dasharray': [3, 2] } },
    {
      id: 'sensing-typhoon-position',
      type: 'circle',
      source,
      filter: ['any', is('position'), is('forecast_position')] as FilterSpecification,
      paint: {
        'circle-radius': ['case', ['==', ['get', 'last'], true], 9, 5],
        'circle-color': GRADES,
        'circle-stroke-color': ['case', ['==', ['get', 'role'], 'forecast_position'], AGENCY, paper],
        'circle-stroke-width': 1.8,
      },
    },
    {
      id: 'sensing-typhoon-label',
      type: 'symbol',
      source,
      filter: ['has', 'label'],
      layout: { 'text-field': ['get', 'label'], 'text-font': ['Noto Sans SC'], 'text-size': 11.5, 'text-anchor': 'left', 'text-offset': [0.9, 0], 'symbol-sort-key': ['case', ['==', ['get', 'last'], true], 0, 1] },
      paint: { 'text-color': ink, 'text-halo-color': paper, 'text-halo-width': 1.6 },
    },
  ];
}
