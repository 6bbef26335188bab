/** Two runs under one clock and on one screen. Pure. */

import type { Job } from '../../api/scenarios';

const DAY_MS = 86_400_000;

/**
 * Milliseconds by which the second run's times are later than those that they are shown at.
 *
 * Hours of a day stand beside the same hours. What is counted from its own beginning, as a flood is, stands beside
 * what is as old; unless both beginnings were given, and the runs meet.
 */
export function shiftBetween(first: Job, second: Job): number {
  const [a, b] = [first, second].map(spanOf);
  if (!a || !b) return 0;
  const later = b.from - a.from;
  if (!countsFromItsBeginning(first) || !countsFromItsBeginning(second)) return Math.round(later / DAY_MS) * DAY_MS;
  const given = [first, second].every(({ twin }) => typeof twin.inputs['start'] === 'string');
  return given && a.from < b.to && b.from < a.to ? 0 : later;
}

function countsFromItsBeginning({ twin: { inputs } }: Job): boolean {
  return 'start' in inputs || typeof inputs['flood_run'] === 'string';
}

function spanOf({ twin }: Job): { readonly from: number; readonly to: number } | null {
  // Objects may come and go within the time of the values.
  const rasters = twin.layers.filter(({ kind, times }) => kind === 'raster' && times.length > 0);
  const times = (rasters.length > 0 ? rasters : twin.layers).flatMap((layer) => layer.times).map((time) => Date.parse(time));
  return times.length === 0 ? null : { from: Math.min(...times), to: Math.max(...times) };
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Pixels from each edge of the map's area. */
export interface Inset {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** What the map's buttons at least leave free beside a panel that is no sheet. */
const BUTTONS = 120;
/** More than this a sheet covers only for as long as a person reads it. */
export const MOST_SHEET = 0.7;

/** Whether the panel comes up from below, and takes no part of the width. */
export function isSheet(area: Size, panel: Size): boolean {
  return area.width - panel.width < BUTTONS;
}

/**
 * Two panes of which as much is seen of the one as of the other: beside each other, or one above the other where the
 * panel is a sheet. The left one reaches on under the panel, as a single map does.
 */
export function panesOf(area: Size, panel: Size): readonly [Inset, Inset] {
  if (isSheet(area, panel)) {
    const foot = panel.height > area.height * MOST_SHEET ? 0 : panel.height;
    const middle = Math.round((area.height - foot) / 2);
    return [
      { top: 0, right: 0, bottom: area.height - middle, left: 0 },
      { top: middle, right: 0, bottom: foot, left: 0 },
    ];
  }
  const middle = Math.round((area.width + panel.width) / 2);
  return [
    { top: 0, right: area.width - middle, bottom: 0, left: 0 },
    { top: 0, right: 0, bottom: 0, left: middle },
  ];
}

export function cssInset({ top, right, bottom, left }: Inset): string {
  return `${top}px ${right}px ${bottom}px ${left}px`;
}
