/** The sensors' and events' symbols on the map, drawn when one is first needed. */

import type { Map as MapLibre } from 'maplibre-gl';
import { glyph } from '../../parts/sensing/glyphs';
import type { Camera } from '../../api/sensing';
import { COLOURS, GRADES, LOOKS, type Look } from '../../state/sensing/states';
import type { StyleName } from '../../state/view';

const RATIO = 2;
/** Pixels of the whole picture, of the body in it, and of a kind's line drawing. */
const SIZE = 36;
const BODY = 13;
const GLYPH = 20;
/** The same of the picture of what a camera sees. */
const CONE = 112;
/** Degrees that a camera sees which does not say. */
const USUAL_ANGLE = 60;
/** A camera that nothing calls of. */
const CAMERA = '#44546a';
const PAPER: Readonly<Record<StyleName, string>> = { day: '#ffffff', night: '#141c26' };

/** Name of the picture of a kind of sensor in a state; `kind` "event" is a call that no sensor raised. */
export function symbolName(kind: string, look: Look, style: StyleName): string {
  return `sensing/${kind}/${look}/${style}`;
}

/** Name of the picture of a camera's field of view, which points up; null for what is no camera or does not say where it looks. */
export function coneName(camera: Camera | null, style: StyleName): string | null {
  if (typeof camera?.direction !== 'number') return null;
  return symbolName(`cone_${Math.round(camera.field_of_view ?? USUAL_ANGLE)}`, 'ok', style);
}

/** Gives the map the pictures that a style is about to name: one that comes later is missing from tiles laid out before. */
export function addSymbols(map: MapLibre, names: Iterable<string>): void {
  for (const name of names) {
    const [, kind = '', look = '', style = ''] = /^sensing\/([a-z0-9_]+)\/(\w+)\/(day|night)$/.exec(name) ?? [];
    const known = LOOKS.find((each) => each === look);
    if (known && !map.hasImage(name)) map.addImage(name, draw(kind, known, style as StyleName), { pixelRatio: RATIO });
  }
}

function draw(kind: string, look: Look, style: StyleName): ImageData {
  const angle = /^cone_(\d+)$/.exec(kind)?.[1];
  const side = (angle === undefined ? SIZE : CONE) * RATIO;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return new ImageData(side, side);
  context.scale(RATIO, RATIO);
  context.lineJoin = context.lineCap = 'round';
  if (angle !== undefined) drawCone(context, Number(angle), style);
  else if (kind === 'event') drawCall(context, look, style);
  else drawSensor(context, kind, look, style);
  return context.getImageData(0, 0, side, side);
}

// Round and full while all is well, hollow and dashed when silent, square with its grade when it calls.
function drawSensor(context: CanvasRenderingContext2D, kind: string, look: Look, style: StyleName): void {
  const middle = SIZE / 2;
  const isHollow = look === 'silent' || look === 'unknown';
  const calls = !isHollow && look !== 'ok';
  context.beginPath();
  if (calls) context.roundRect(middle - BODY, middle - BODY, 2 * BODY, 2 * BODY, 7);
  else context.arc(middle, middle, BODY, 0, 2 * Math.PI);
  context.fillStyle = isHollow ? PAPER[style] : kind === 'camera' && !calls ? CAMERA : COLOURS[look];
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = isHollow ? COLOURS[look] : PAPER[style];
  context.setLineDash(isHollow ? [4, 4] : []);
  context.stroke();
  context.setLineDash([]);
  context.save();
  context.translate(middle - GLYPH / 2, middle - GLYPH / 2);
  context.lineWidth = 1.7;
  context.strokeStyle = isHollow ? COLOURS[look] : '#ffffff';
  context.stroke(new Path2D(glyph(kind)));
  context.restore();
  if (calls) drawGrade(context, look, style);
}

function drawGrade(context: CanvasRenderingContext2D, look: Exclude<Look, 'ok' | 'silent' | 'unknown'>, style: StyleName): void {
  context.beginPath();
  context.arc(SIZE - 7.5, 7.5, 6.5, 0, 2 * Math.PI);
  context.fillStyle = PAPER[style];
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = COLOURS[look];
  context.stroke();
  context.fillStyle = style === 'night' ? '#ffffff' : '#16202b';
  context.font = '600 9px "Noto Sans SC", sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(GRADES[look], SIZE - 7.5, 8);
}

// Fades away from the camera: how far it sees nobody has said.
function drawCone(context: CanvasRenderingContext2D, angle: number, style: StyleName): void {
  const [middle, half] = [CONE / 2, (angle * Math.PI) / 360];
  const ink = style === 'night' ? '242, 246, 250' : '30, 60, 110';
  const fading = context.createRadialGradient(middle, middle, 8, middle, middle, middle - 2);
  fading.addColorStop(0, `rgba(${ink}, 0.6)`);
  fading.addColorStop(1, `rgba(${ink}, 0.08)`);
  context.beginPath();
  context.moveTo(middle, middle);
  context.arc(middle, middle, middle - 2, -Math.PI / 2 - half, -Math.PI / 2 + half);
  context.closePath();
  context.fillStyle = fading;
  context.fill();
  context.lineWidth = 1.2;
  context.strokeStyle = `rgba(${ink}, 0.55)`;
  context.stroke();
}

function drawCall(context: CanvasRenderingContext2D, look: Look, style: StyleName): void {
  context.beginPath();
  context.moveTo(SIZE / 2, 5);
  context.lineTo(SIZE - 4, SIZE - 7);
  context.lineTo(4, SIZE - 7);
  context.closePath();
  context.fillStyle = COLOURS[look];
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = PAPER[style];
  context.stroke();
  context.strokeStyle = '#ffffff';
  context.lineWidth = 2.4;
  context.stroke(new Path2D('M18 14v7M18 25.2v.1'));
}
