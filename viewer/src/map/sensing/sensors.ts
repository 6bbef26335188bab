/** Sensors and events on the map: their shapes and the layers that draw them. Pure. */

import type { Feature, FeatureCollection, Point } from 'geojson';
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { CityEvent } from '../../api/sensing';
import { COLOURS, LOOKS, valueText, type Sensor } from '../../state/sensing/states';
import type { Language, StyleName } from '../../state/view';
import { coneName, symbolName } from './symbols';

const SENSORS = 'sensing-sensors';
const EVENTS = 'sensing-events';
/** Layers that a click asks, the uppermost first. */
export const PRESSED = ['sensing-event', 'sensing-calling', 'sensing-well', 'sensing-dot'] as const;

export interface SensingLook {
  readonly sensors: readonly Sensor[];
  readonly events: readonly CityEvent[];
  /** Datastreams whose card is open, and the event. */
  readonly streams: readonly number[];
  readonly event: number | null;
  readonly language: Language;
  readonly style: StyleName;
  readonly accent: string;
}

/** The style with the sensors and events over everything. */
export function withSensing(style: StyleSpecification, look: SensingLook): StyleSpecification {
  if (look.sensors.length === 0 && look.events.length === 0) return style;
  return {
    ...style,
    sources: {
      ...style.sources,
      [SENSORS]: { type: 'geojson', data: sensorShapes(look) },
      [EVENTS]: { type: 'geojson', data: eventShapes(look) },
    },
    layers: [...style.layers, ...layers(look)],
  };
}

/** The style without what is of the sensors. */
export function withoutSensing(style: StyleSpecification): StyleSpecification {
  return { ...style, layers: style.layers.filter((layer) => !('source' in layer && String(layer.source).startsWith('sensing-'))) };
}

/** The pictures that the layers name. */
export function symbolNames({ sensors, events, style }: Pick<SensingLook, 'sensors' | 'events' | 'style'>): Set<string> {
  const cones = sensors.flatMap(({ camera }) => coneName(camera, style) ?? []);
  return new Set([...cones, ...sensors.map(({ kind, look }) => symbolName(kind, look, style)), ...events.map(({ properties }) => symbolName('event', properties.severity, style))]);
}

export function sensorShapes({ sensors, streams, language, style }: Pick<SensingLook, 'sensors' | 'streams' | 'language' | 'style'>): FeatureCollection<Point> {
  const features = sensors.flatMap((sensor): Feature<Point>[] => {
    if (!sensor.place) return [];
    const { id, kind, look, title, camera } = sensor;
    const cone = coneName(camera, style);
    const properties = {
      stream: id,
      look,
      label: camera ? '' : valueText(sensor, language),
      title,
      icon: symbolName(kind, look, style),
      // The worst is placed first, and drawn last.
      rank: LOOKS.indexOf(look),
      chosen: streams.includes(id),
      ...(cone !== null && { cone, direction: camera?.direction }),
    };
    return [{ type: 'Feature', geometry: { type: 'Point', coordinates: [...sensor.place] }, properties }];
  });
  return { type: 'FeatureCollection', features };
}

export function eventShapes({ events, event, style }: Pick<SensingLook, 'events' | 'event' | 'style'>): FeatureCollection {
  const features = events.flatMap((each): Feature[] => {
    if (!each.geometry) return [];
    const { severity, datastream, ended_at } = each.properties;
    const properties = { event: each.id, look: severity, on: ended_at === null, bare: datastream === null, icon: symbolName('event', severity, style), chosen: each.id === event };
    return [{ type: 'Feature', geometry: each.geometry, properties }];
  });
  return { type: 'FeatureCollection', features };
}

const COLOUR: ExpressionSpecification = [
  'match', ['get', 'look'],
  'red', COLOURS.red, 'orange', COLOURS.orange, 'yellow', COLOURS.yellow, 'blue', COLOURS.blue, 'ok', COLOURS.ok,
  COLOURS.silent,
];
const GROWING: ExpressionSpecification = ['interpolate', ['linear'], ['zoom'], 11, 0.6, 14, 0.85, 17, 1];
const HALO: Readonly<Record<StyleName, readonly [ink: string, paper: string]>> = { day: ['#16202b', '#ffffff'], night: ['#f2f6fa', '#0c1219'] };

function layers({ style, accent }: SensingLook): LayerSpecification[] {
  const [ink, paper] = HALO[style];
  const sensors = { source: SENSORS };
  const labelled = (id: string, calling: boolean): LayerSpecification => ({
    id,
    type: 'symbol',
    ...sensors,
    filter: [calling ? '!=' : '==', ['get', 'look'], 'ok'],
    layout: {
      'icon-image': ['get', 'icon'],
      'icon-size': GROWING,
      'icon-allow-overlap': calling,
      'text-field': ['get', 'label'],
      'text-font': ['Noto Sans SC'],
      'text-size': 12.5,
      'text-anchor': 'top',
      'text-offset': [0, 1.15],
      'text-optional': true,
      'symbol-sort-key': ['get', 'rank'],
    },
    paint: { 'text-color': ink, 'text-halo-color': paper, 'text-halo-width': 1.8 },
  });
  return [
    {
      id: 'sensing-event-ring',
      type: 'circle',
      source: EVENTS,
      filter: ['==', ['geometry-type'], 'Point'],
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 11, 14, 14, 19, 17, 23],
        'circle-color': COLOUR,
        // What is over, and waits for someone to close it, is but a thin ring.
        'circle-opacity': ['case', ['get', 'on'], 0.2, 0],
        'circle-stroke-color': COLOUR,
        'circle-stroke-width': ['case', ['get', 'chosen'], 4, ['get', 'on'], 2, 1],
        'circle-stroke-opacity': ['case', ['any', ['get', 'chosen'], ['get', 'on']], 1, 0.6],
      },
    },
    {
      id: 'sensing-cone',
      type: 'symbol',
      ...sensors,
      minzoom: 12,
      filter: ['has', 'cone'],
      layout: {
        'icon-image': ['get', 'cone'],
        'icon-rotate': ['get', 'direction'],
        'icon-rotation-alignment': 'map',
        'icon-pitch-alignment': 'map',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'icon-size': GROWING,
      },
    },
    {
      id: 'sensing-dot',
      type: 'circle',
      ...sensors,
      paint: { 'circle-radius': 4, 'circle-color': COLOUR, 'circle-stroke-color': paper, 'circle-stroke-width': 1.5 },
    },
    {
      id: 'sensing-chosen',
      type: 'circle',
      ...sensors,
      filter: ['get', 'chosen'],
      paint: { 'circle-radius': 21, 'circle-opacity': 0, 'circle-stroke-color': accent, 'circle-stroke-width': 3 },
    },
    labelled('sensing-well', false),
    labelled('sensing-calling', true),
    {
      id: 'sensing-event',
      type: 'symbol',
      source: EVENTS,
      filter: ['get', 'bare'],
      layout: { 'icon-image': ['get', 'icon'], 'icon-size': GROWING, 'icon-allow-overlap': true },
    },
  ];
}
