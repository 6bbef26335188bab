/** Shapes that are drawn on the map for a scenario, and areas taken from it. */

import type { Geometry } from 'geojson';
import { number, pick, t } from '../../i18n/text';
import { map } from '../../state/session';
import { update } from '../../state/store';
import { Icon } from '../Icon';
import type { InputProps } from './FieldRow';

export function ShapeField({ id, describedBy, field, value, onChange }: InputProps) {
  const { asks } = field;
  const shape = value as Geometry | null | undefined;
  const words = t(shape ? 'scenario.draw_again' : 'scenario.draw');
  const draw = async (): Promise<void> => {
    if (asks.kind !== 'shape') return;
    // Corners are set where they are meant on a map from above.
    update({ is3d: false, selected: null });
    const drawn = await map.peek()?.drawShape(asks.shape);
    if (drawn) onChange(drawn);
  };
  return (
    <div class="shape-field">
      <button id={id} aria-describedby={describedBy} aria-label={`${words} · ${pick(field.title)}`} type="button" class="text-button" disabled={!map.value} onClick={() => void draw()}>
        <Icon name="pen" /> {words}
      </button>
      {shape && (
        <>
          <span class="quiet">{toldOf(shape)}</span>
          <button type="button" class="bare" aria-label={t('scenario.clear')} onClick={() => onChange(undefined)}>
            <Icon name="close" />
          </button>
        </>
      )}
    </div>
  );
}

/** Where a point is; of a line or an area how many corners it has. */
function toldOf(shape: Geometry): string {
  if (shape.type === 'Point') return shape.coordinates.map((each) => each.toFixed(4)).join(', ');
  const count = shape.type === 'Polygon' ? (shape.coordinates[0]?.length ?? 1) - 1 : shape.type === 'LineString' ? shape.coordinates.length : 0;
  return t('scenario.drawn', { count: number(count) });
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
