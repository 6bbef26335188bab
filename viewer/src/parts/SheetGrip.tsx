/** Makes the panel larger and smaller: by a button on a wide screen, by dragging or pressing its edge on a phone. */

import { t } from '../i18n/text';
import { panelSize, type PanelSize } from '../state/session';
import { Icon } from './Icon';

const SIZES: readonly PanelSize[] = ['small', 'middle', 'large'];

/** Pixels a finger moves before it means the next size. */
const STEP = 40;

export function SheetGrip() {
  const small = panelSize.value === 'small';
  return (
    <button
      type="button"
      class="grip"
      aria-expanded={!small}
      aria-label={small ? t('panel.expand') : t('panel.collapse')}
      onPointerDown={(event) => follow(event.currentTarget, event)}
      onClick={() => (panelSize.value = small ? 'middle' : 'small')}
    >
      <span class="grip-bar" />
      <Icon name="chevron" />
    </button>
  );
}

function follow(grip: HTMLElement, start: PointerEvent): void {
  const done = new AbortController();
  const { signal } = done;
  const from = SIZES.indexOf(panelSize.peek());
  let dragged = false;
  grip.setPointerCapture(start.pointerId);
  grip.addEventListener('pointermove', (event) => {
    const steps = Math.round((start.clientY - event.clientY) / (STEP * 3));
    if (Math.abs(start.clientY - event.clientY) < STEP) return;
    dragged = true;
    panelSize.value = SIZES[Math.max(0, Math.min(SIZES.length - 1, from + (steps || Math.sign(start.clientY - event.clientY))))] ?? 'middle';
  }, { signal });
  const finish = (): void => {
    done.abort();
    // The click that ends a drag must not toggle the panel as well.
    if (dragged) grip.addEventListener('click', (event) => event.stopImmediatePropagation(), { capture: true, once: true });
  };
  grip.addEventListener('pointerup', finish, { signal });
  grip.addEventListener('pointercancel', finish, { signal });
}
