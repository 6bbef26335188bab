/** Shapes that are drawn on the map for a scenario, or written as places, and areas taken from it. */

import type { Geometry } from 'geojson';
import { useId } from 'preact/hooks';
import type { Simple } from '../../geo/rings';
import { cornersOf, type ShapeKind } from '../../geo/sketch';
import { pick, t } from '../../i18n/text';
import { readCorners, writeCorners } from '../../state/scenarios/corners';
import { city, map } from '../../state/session';
import { update } from '../../state/store';
import { Icon } from '../Icon';
import { shapeText } from '../measure';
import { useDraft } from './draft';
import type { InputProps } from './FieldRow';

export function ShapeField({ id, describedBy, field, value, onChange }: InputProps) {
  const { asks } = field;
  if (asks.kind !== 'shape') return null;
  const shape = (value as Simple | null | undefined) ?? null;
  const words = t(shape ? 'scenario.draw_again' : 'scenario.draw');
  const take = async (drawn: Promise<Geometry | null> | undefined): Promise<void> => {
    // Corners are set where they are meant on a map from above.
    update({ is3d: false, selected: null });
    const given = await drawn;
    if (given) onChange(given);
    document.getElementById(id)?.focus();
  };
  return (
    <div class="shape-field">
      <button id={id} aria-describedby={describedBy} aria-label={`${words} · ${pick(field.title)}`} type="button" class="text-button" disabled={!map.value} onClick={() => void take(map.peek()?.drawShape(asks.shape))}>
        <Icon name="pen" /> {words}
      </button>
      {shape && asks.shape !== 'point' && (
        <button type="button" class="text-button" disabled={!map.value} onClick={() => void take(map.peek()?.changeShape(shape))}>
          {t('scenario.change_shape')}
        </button>
      )}
      {shape && (
        <>
          <span class="quiet">{shapeText(asks.shape, cornersOf(shape))}</span>
          <button type="button" class="bare" aria-label={t('scenario.clear')} onClick={() => onChange(undefined)}>
            <Icon name="close" />
          </button>
        </>
      )}
      <CornersField title={pick(field.title)} kind={asks.shape} shape={shape} onChange={onChange} />
    </div>
  );
}

interface CornersProps {
  readonly title: string;
  readonly kind: ShapeKind;
  readonly shape: Simple | null;
  readonly onChange: (shape: Simple | undefined) => void;
}

const LEAST = { point: 'scenario.least_point', linestring: 'scenario.least_linestring', polygon: 'scenario.least_polygon' } as const;

/** A shape in figures: to look at, to mend, and to write without a map. */
function CornersField({ title, kind, shape, onChange }: CornersProps) {
  const help = useId();
  const { input, fault } = useDraft(writeCorners(shape), (text) => {
    const read = readCorners(text, kind, city.peek()?.document.bbox ?? null);
    if ('wrong' in read) return t('scenario.corner_wrong', { line: read.wrong });
    if ('tooFew' in read) return t('scenario.corners_few', { kind: t(LEAST[kind]) });
    onChange(read.shape ?? undefined);
    return null;
  });
  return (
    <details class="corners">
      <summary>{t('scenario.corners')}</summary>
      <textarea
        aria-label={`${t('scenario.corners')} · ${title}`}
        aria-describedby={help}
        rows={kind === 'point' ? 1 : 4}
        spellcheck={false}
        placeholder="120.95, 27.99"
        {...input}
      />
      <p id={help} class={fault === null ? 'quiet' : 'fault'} role="status">
        {fault ?? t(kind === 'point' ? 'scenario.corner_help' : 'scenario.corners_help')}
      </p>
    </details>
  );
}

/** West, south, east, north in degrees. */
export function AreaField({ id, describedBy, value, onChange }: InputProps) {
  const box = Array.isArray(value) ? (value as number[]) : null;
  const take = (): void => {
    const bounds = map.peek()?.bounds();
    if (bounds) onChange(bounds.map((each) => Number(each.toFixed(5))));
  };
  const draw = async (): Promise<void> => {
    update({ is3d: false });
    const corners = await map.peek()?.drawArea();
    if (!corners) return;
    const [x, y] = [0, 1].map((axis) => corners.map((corner) => corner[axis] ?? 0));
    if (x && y) onChange([Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)].map((each) => Number(each.toFixed(5))));
  };
  return (
    <div class="shape-field">
      <button id={id} aria-describedby={describedBy} type="button" class="text-button" disabled={!map.value} onClick={take}>
        <Icon name="target" /> {t('scenario.in_view')}
      </button>
      <button type="button" class="text-button" disabled={!map.value} onClick={() => void draw()}>
        <Icon name="pen" /> {t('scenario.draw')}
      </button>
      {box && (
        <>
          <span class="quiet">{box.map((each) => each.toFixed(3)).join(', ')}</span>
          <button type="button" class="bare" aria-label={t('scenario.clear')} onClick={() => onChange(undefined)}>
            <Icon name="close" />
          </button>
        </>
      )}
    </div>
  );
}
