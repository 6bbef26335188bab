/** The line between two runs, drawn over the map by hand or moved by the arrow keys. */

import { useEffect } from 'preact/hooks';
import type { Job } from '../../api/scenarios';
import { pick, t } from '../../i18n/text';
import { swipe } from '../../state/scenarios/results';
import { askedOf, other, run } from '../../state/scenarios/runs';
import { panelBox } from '../../state/session';
import { differing, inputText, runTitle } from './runs';

const STEP = 0.02;
/** Of what two runs were asked for differently, this is told over the map. */
const MOST_TOLD = 2;
/** Pixels that the line keeps from the panel, that the map's buttons take, and that a name must have. */
const CLEAR = 28;
const BUTTONS = 76;
const LEAST_NAME = 96;

export function SwipeLine() {
  const { width } = panelBox.value;
  // A sheet from below takes no part of the width.
  const covered = width > window.innerWidth - BUTTONS ? 0 : width;
  const put = (share: number): void => void (swipe.value = Math.min(0.98, Math.max(0.02, (covered + CLEAR) / window.innerWidth, share)));
  useEffect(() => put(swipe.peek()), [covered]);
  const at = swipe.value;
  const [left, right] = [at * window.innerWidth - covered - CLEAR, (1 - at) * window.innerWidth - BUTTONS];
  const same = run.value?.jobID === other.value?.jobID;
  return (
    <div class="swipe" style={{ left: `${at * 100}%` }}>
      <span class={`swipe-name is-left${left < LEAST_NAME ? ' is-beyond' : ''}`} style={{ maxWidth: `${left < LEAST_NAME ? right : left}px` }}>A · {run.value && (same ? t('compare.after') : nameBeside(run.value, other.value))}</span>
      <span class={`swipe-name${right < LEAST_NAME ? ' is-beyond' : ''}`} style={{ maxWidth: `${right < LEAST_NAME ? left : right}px` }}>B · {other.value && (same ? t('compare.before') : nameBeside(other.value, run.value))}</span>
      <div
        class="swipe-grip"
        role="slider"
        tabIndex={0}
        aria-label={t('compare.line')}
        aria-valuemin={2}
        aria-valuemax={98}
        aria-valuenow={Math.round(at * 100)}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && put(event.clientX / window.innerWidth)}
        onKeyDown={(event) => {
          const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
          if (direction === undefined) return;
          event.preventDefault();
          put(at + direction * STEP);
        }}
      />
    </div>
  );
}

/** By what a run differs from the one beside it; they may well be called the same. */
function nameBeside(job: Job, other: Job | null): string {
  const fields = other ? differing(job, other).slice(0, MOST_TOLD) : [];
  if (fields.length === 0) return runTitle(job);
  return fields.map((field) => `${pick(field.title)} ${inputText(field, askedOf(job)[field.name])}`).join(' · ');
}
