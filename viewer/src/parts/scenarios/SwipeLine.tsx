/** The line between two runs, drawn over the map by hand or moved by the arrow keys. */

import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/text';
import { changeScenario } from '../../state/scenarios/runs';
import { panelBox } from '../../state/session';
import { view } from '../../state/store';
import { PaneName } from './PaneNames';

/** Shares of the width that an arrow key moves it by, with Shift more; and what it leaves at either edge. */
const [STEP, LEAP, EDGE] = [0.02, 0.1, 0.02];
/** Pixels that the line keeps from the panel, that the map's buttons take, and that a name must have. */
const CLEAR = 28;
const BUTTONS = 76;
const LEAST_NAME = 96;

export function SwipeLine() {
  const { width } = panelBox.value;
  // A sheet from below takes no part of the width.
  const covered = width > window.innerWidth - BUTTONS ? 0 : width;
  const least = Math.max(EDGE, Math.ceil((100 * (covered + CLEAR)) / window.innerWidth) / 100);
  const at = view.value.scenario.line;
  const put = (share: number): void => {
    const line = Math.round(100 * Math.min(1 - EDGE, Math.max(least, share))) / 100;
    if (line !== view.peek().scenario.line) changeScenario({ line });
  };
  useEffect(() => put(view.peek().scenario.line), [least]);
  const [left, right] = [at * window.innerWidth - covered - CLEAR, (1 - at) * window.innerWidth - BUTTONS];
  return (
    <div class="swipe" style={{ left: `${at * 100}%` }}>
      <PaneName run="A" class={`is-left${left < LEAST_NAME ? ' is-beyond' : ''}`} width={left < LEAST_NAME ? right : left} />
      <PaneName run="B" class={right < LEAST_NAME ? 'is-beyond' : ''} width={right < LEAST_NAME ? left : right} />
      <div
        class="swipe-grip"
        role="separator"
        tabIndex={0}
        aria-label={t('compare.line')}
        aria-orientation="vertical"
        aria-valuemin={Math.round(least * 100)}
        aria-valuemax={Math.round((1 - EDGE) * 100)}
        aria-valuenow={Math.round(at * 100)}
        aria-valuetext={t('compare.at', { share: Math.round(at * 100) })}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && put(event.clientX / window.innerWidth)}
        onKeyDown={(event) => {
          const step = event.shiftKey ? LEAP : STEP;
          const next = { ArrowLeft: at - step, ArrowRight: at + step, Home: 0, End: 1 }[event.key];
          if (next === undefined) return;
          event.preventDefault();
          put(next);
        }}
      />
    </div>
  );
}
