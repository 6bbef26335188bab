/** Line drawings of the kinds of sensors, 20 x 20, for the map's symbols and the panels alike. */

import type { Kind } from '../../state/sensing/states';
import { isKind } from '../../state/sensing/states';

const GLYPHS: Readonly<Record<Kind, string>> = {
  rain: 'M10 3.2c2.8 3.3 4.3 5.6 4.3 7.7a4.3 4.3 0 0 1-8.6 0c0-2.1 1.5-4.4 4.3-7.7z',
  water_level: 'M5 4v12M5 5.5h3M5 8.5h2M8.5 13c1.4-1.5 2.6-1.5 4 0s2.6 1.5 4 0M8.5 16.5c1.4-1.5 2.6-1.5 4 0s2.6 1.5 4 0',
  tide: 'M3.5 8.5c2.2-3.4 4.6-3.4 6.5 0s4.3 3.4 6.5 0M3.5 14c2.2-3.4 4.6-3.4 6.5 0s4.3 3.4 6.5 0',
  flow: 'M3.5 6.5h9M3.5 10h13M3.5 13.5h9M13.5 7l3 3-3 3',
  pump: 'M10 15.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM10 4.5c2 2 2 4 0 5.5M14.8 12.8c-2.7.7-4.4-.3-4.8-2.8M5.2 12.8c.7-2.7 2.4-3.7 4.8-2.8',
  sluice: 'M4.5 4v12M15.5 4v12M4.5 5h11M7.5 8.5h5v5h-5zM10 5v3.5',
  wind: 'M3.5 8h8.2a2.2 2.2 0 1 0-2.1-2.9M3.5 11.5h10.6a2.1 2.1 0 1 1-2 2.8M3.5 15h5',
  weather: 'M10 12.5a2.6 2.6 0 1 1-2 0V5a1 1 0 1 1 2 0zM13 5h3M13 8h2',
  air_quality: 'M5.5 12.5a3 3 0 0 1 .4-6 4.4 4.4 0 0 1 8.3.6 2.8 2.8 0 0 1 .3 5.4M7 15.5h.01M10 13.5h.01M13 15.5h.01',
  traffic: 'M5 12.5l1.4-5h7.2l1.4 5zM4.5 12.5h11v3h-11zM6.5 15.5v1.2M13.5 15.5v1.2',
  parking: 'M7.5 16V4.5h3.3a3.3 3.3 0 0 1 0 6.6H7.5',
  energy: 'M11 3 6 11h4l-1 6 5-8h-4z',
  camera: 'M3.5 6.5h9v7.5h-9zM12.5 9.3l4-2.3v6.5l-4-2.3',
  other: 'M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM5.5 5.5a6.4 6.4 0 0 0 0 9M14.5 5.5a6.4 6.4 0 0 1 0 9',
};

export function glyph(kind: string): string {
  return GLYPHS[isKind(kind) ? kind : 'other'];
}
