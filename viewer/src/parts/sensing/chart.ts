/** The chart itself, drawn by uPlot: lines and bars, reference levels, the map's clock. Loaded on its own. */

import uPlot, { type AlignedData, type Axis, type Options, type Series } from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatNumber } from '../../i18n/text';
import { COLOURS, decimals } from '../../state/sensing/states';
import { dayAndTime } from '../../state/sensing/times';
import type { Line } from '../../state/sensing/series';
import type { Severity } from '../../api/sensing';
import type { Language } from '../../state/view';

export interface Drawn {
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly zone: string;
  readonly language: Language;
  readonly lines: readonly (Line & { readonly title: string; readonly unit: string; readonly colour: string })[];
  readonly levels: readonly { readonly name: string | null; readonly value: number; readonly severity: Severity }[];
}

export interface Chart {
  /** Draws the map's clock at a moment (milliseconds since 1970); null: nowhere. */
  mark(moment: number | null): void;
  remove(): void;
}

export interface Told {
  readonly onMoment: (milliseconds: number) => void;
  readonly onWindow: (from: number, to: number) => void;
}

const HEIGHT = 220;
/** Pixels that a hand moves before it means a time, not a moment. */
const DRAG = 8;

export function drawChart(holder: HTMLElement, drawn: Drawn, told: Told): Chart {
  let moment: number | null = null;
  const tooltip = document.createElement('div');
  tooltip.className = 'chart-tip';
  tooltip.hidden = true;
  const options: Options = {
    width: Math.max(200, holder.clientWidth),
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), drawn.zone),
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false, dist: DRAG }, points: { size: 7 } },
    scales: { x: { time: true, min: drawn.from, max: drawn.to, auto: false }, ...valueScales(drawn) },
    axes: axes(holder, drawn),
    series: [{}, ...drawn.lines.map(seriesOf)],
    hooks: {
      draw: [(plot) => drawOver(plot, holder, drawn, moment)],
      setCursor: [(plot) => tell(plot, tooltip, drawn)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width >= DRAG) told.onWindow(plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000);
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
    },
  };
  const plot = new uPlot(options, aligned(drawn), holder);
  plot.over.append(tooltip);
  pressing(plot, told);
  const observer = new ResizeObserver(() => plot.setSize({ width: Math.max(200, holder.clientWidth), height: HEIGHT }));
  observer.observe(holder);
  return {
    mark(next) {
      moment = next;
      plot.redraw(false);
    },
    remove() {
      observer.disconnect();
      plot.destroy();
    },
  };
}

// A press that is no drag sets the clock.
function pressing({ over, posToVal }: uPlot, { onMoment }: Told): void {
  let from = 0;
  over.addEventListener('pointerdown', (event) => (from = event.clientX));
  over.addEventListener('click', (event) => {
    if (Math.abs(event.clientX - from) < DRAG) onMoment(posToVal(event.clientX - over.getBoundingClientRect().left, 'x') * 1000);
  });
}

function aligned({ lines }: Drawn): AlignedData {
  return uPlot.join(lines.map((line) => [[...line.time], [...line.value]] as AlignedData));
}

/** One scale a unit; the first on the left, the second on the right, any other unseen. */
function valueScales({ lines, levels }: Drawn): NonNullable<Options['scales']> {
  const units = [...new Set(lines.map((line) => line.unit))];
  return Object.fromEntries(
    units.map((unit) => {
      const own = lines.filter((line) => line.unit === unit);
      const values = own.flatMap((line) => line.value).concat(levels.map((level) => level.value));
      const hasBars = own.some((line) => line.bar !== null);
      const least = Math.min(...values);
      const most = Math.max(...values);
      const room = (most - least || Math.abs(most) || 1) * 0.08;
      return [scaleOf(unit), { range: [hasBars ? 0 : least - room, most + room] as [number, number] }];
    }),
  );
}

function scaleOf(unit: string): string {
  return `y ${unit}`;
}

function axes(holder: HTMLElement, drawn: Drawn): Axis[] {
  const style = getComputedStyle(holder);
  const look = { stroke: style.getPropertyValue('--ink-soft'), grid: { stroke: style.getPropertyValue('--line'), width: 1 }, ticks: { show: false }, font: '12px "Noto Sans SC", sans-serif' };
  const units = [...new Set(drawn.lines.map((line) => line.unit))].slice(0, 2);
  return [
    { ...look, space: 64, size: 38, values: (_, splits) => splits.map((seconds, index) => timeLabel(seconds, splits[index - 1], drawn)) },
    ...units.map((unit, index): Axis => ({
      ...look,
      scale: scaleOf(unit),
      side: index === 0 ? 3 : 1,
      size: 52,
      grid: index === 0 ? look.grid : { show: false },
      values: (_, splits) => splits.map((value, place) => `${formatNumber(value, drawn.language)}${place === splits.length - 1 ? ` ${unit}` : ''}`),
    })),
  ];
}

/** The time at a tick; the day under it at the first one of each day. */
function timeLabel(seconds: number, before: number | undefined, { zone, from, to }: Drawn): string {
  const [day = '', clock = ''] = dayAndTime(seconds * 1000, zone).split(' ');
  const isNew = before === undefined || !dayAndTime(before * 1000, zone).startsWith(day);
  if (to - from > 5 * 86_400) return day.slice(5);
  return isNew ? `${clock}\n${day.slice(5)}` : clock;
}

function seriesOf(line: Drawn['lines'][number]): Series {
  const common = { label: line.title, scale: scaleOf(line.unit), stroke: line.colour };
  if (line.bar === null) return { ...common, width: 1.8, points: { show: line.time.length < 30 }, spanGaps: true };
  return { ...common, width: 0, fill: line.colour, points: { show: false }, ...barPaths() };
}

// A bar stands over the time that it sums up, which begins at its own.
function barPaths(): Pick<Series, 'paths'> {
  const paths = uPlot.paths.bars?.({ size: [0.86, 64], align: 1 });
  return paths ? { paths } : {};
}

function drawOver(plot: uPlot, holder: HTMLElement, { levels, lines }: Drawn, moment: number | null): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const scale = scaleOf(lines[0]?.unit ?? '');
  ctx.save();
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  ctx.font = `${11 * ratio}px "Noto Sans SC", sans-serif`;
  for (const { name, value, severity } of levels) {
    const y = Math.round(plot.valToPos(value, scale, true));
    ctx.strokeStyle = COLOURS[severity];
    ctx.lineWidth = 1.4 * ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    line(ctx, bbox.left, y, bbox.left + bbox.width, y);
    outlined(ctx, holder, `${name ?? ''} ${value}`, bbox.left + 5 * ratio, y - 4 * ratio, ratio);
  }
  const x = moment === null ? null : plot.valToPos(moment / 1000, 'x', true);
  if (x !== null && x >= bbox.left && x <= bbox.left + bbox.width) {
    ctx.setLineDash([]);
    ctx.strokeStyle = getComputedStyle(holder).getPropertyValue('--selected');
    ctx.lineWidth = 2 * ratio;
    line(ctx, x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.restore();
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

// Ink on an edge of paper, so that a line that passes behind leaves it legible.
function outlined(context: CanvasRenderingContext2D, holder: HTMLElement, text: string, x: number, y: number, ratio: number): void {
  const style = getComputedStyle(holder);
  context.setLineDash([]);
  context.lineWidth = 3 * ratio;
  context.lineJoin = 'round';
  context.strokeStyle = style.getPropertyValue('--paper');
  context.strokeText(text, x, y);
  context.fillStyle = style.getPropertyValue('--ink');
  context.fillText(text, x, y);
}

function tell(plot: uPlot, tooltip: HTMLElement, { lines, zone, language }: Drawn): void {
  const { idx, left = -1 } = plot.cursor;
  const time = idx === null || idx === undefined ? undefined : plot.data[0][idx];
  tooltip.hidden = time === undefined || left < 0;
  if (time === undefined || idx === null || idx === undefined) return;
  const told = lines.flatMap(({ title, unit }, index) => {
    const value = plot.data[index + 1]?.[idx];
    return typeof value === 'number' ? [`${lines.length > 1 ? `${title} ` : ''}${formatNumber(value, language, decimals(value))} ${unit}`] : [];
  });
  tooltip.textContent = [dayAndTime(time * 1000, zone).slice(5), ...told].join('\n');
  const onRight = left > plot.over.clientWidth / 2;
  tooltip.style.left = onRight ? 'auto' : `${left + 12}px`;
  tooltip.style.right = onRight ? `${plot.over.clientWidth - left + 12}px` : 'auto';
}
