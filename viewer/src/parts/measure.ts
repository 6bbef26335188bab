/** How large a drawn shape is, in words. */

import { areaOf, lengthOf, type Corners, type ShapeKind } from '../geo/sketch';
import { number, t } from '../i18n/text';

/** The area of a ring, the length of a line (of a ring with two corners, too), where a point is. */
export function sizeText(kind: ShapeKind, corners: Corners): string {
  if (kind === 'point') return corners[0]?.map((each) => each.toFixed(5)).join(', ') ?? '';
  if (corners.length < 2) return '';
  return kind === 'polygon' && corners.length > 2 ? areaText(areaOf(corners)) : lengthText(lengthOf(corners));
}

/** "3 corners · 420 m". */
export function shapeText(kind: ShapeKind, corners: Corners): string {
  if (kind === 'point') return sizeText(kind, corners);
  return [t('scenario.drawn', { count: number(corners.length) }), sizeText(kind, corners)].filter(Boolean).join(' · ');
}

function lengthText(metres: number): string {
  return metres < 1000 ? `${number(metres, metres < 10 ? 1 : 0)} m` : `${number(metres / 1000, 2)} km`;
}

function areaText(metres: number): string {
  if (metres < 1e4) return `${number(metres, 0)} m²`;
  return metres < 1e6 ? `${number(metres / 1e4, 2)} ha` : `${number(metres / 1e6, 2)} km²`;
}
