/** Which run a pane of the map shows. */

import type { Job } from '../../api/scenarios';
import { pick, t } from '../../i18n/text';
import { askedOf, other, run } from '../../state/scenarios/runs';
import { panesOf } from '../../state/scenarios/together';
import { panelBox } from '../../state/session';
import { differing, inputText, runTitle } from './runs';

/** Of what two runs were asked for differently, this is told over the map. */
const MOST_TOLD = 2;
/** Pixels from a pane's corner, and those that the map's buttons take. */
const [INDENT, BUTTONS] = [10, 76];

/** The names of two panes beside or above each other. */
export function PaneNames() {
  const size = { width: window.innerWidth, height: window.innerHeight };
  const panel = panelBox.value;
  const [first, second] = panesOf(size, panel);
  const stacked = second.top > 0;
  const left = stacked ? 0 : panel.width;
  return (
    <>
      <PaneName run="A" class="is-free" width={size.width - first.right - left - (stacked ? BUTTONS : 0) - 2 * INDENT} left={left + INDENT} top={INDENT} />
      <PaneName run="B" class="is-free" width={size.width - second.left - BUTTONS - 2 * INDENT} left={second.left + INDENT} top={second.top + INDENT} />
    </>
  );
}

/** width, left, top: pixels. */
export function PaneName({ run: letter, class: look, width, left, top }: { run: 'A' | 'B'; class: string; width: number; left?: number; top?: number }) {
  return (
    <span class={`swipe-name ${look}`} style={{ maxWidth: `${width}px`, ...(left === undefined ? {} : { left: `${left}px`, top: `${top}px` }) }}>
      <b>{letter}</b> {paneName(letter)}
    </span>
  );
}

/** What the run of a pane is called: by what it differs from the one beside it; they may well be called the same. */
export function paneName(letter: 'A' | 'B'): string {
  const [own, beside] = letter === 'A' ? [run.value, other.value] : [other.value, run.value];
  if (!own || !beside) return '';
  if (own.jobID === beside.jobID) return t(letter === 'A' ? 'compare.after' : 'compare.before');
  return nameBeside(own, beside);
}

function nameBeside(job: Job, beside: Job): string {
  const fields = differing(job, beside).slice(0, MOST_TOLD);
  if (fields.length === 0) return runTitle(job);
  return fields.map((field) => `${pick(field.title)} ${inputText(field, askedOf(job)[field.name])}`).join(' · ');
}
