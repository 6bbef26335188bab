/** The scenario whose form is open, and what it begins with. */

import { signal } from '@preact/signals';
import type { Attributes } from '../../api/documents';
import type { Process } from '../../api/scenarios';
import { changeSensing, withoutCards } from '../sensing/cards';
import { panelSize, panelTab } from '../session';
import { openRun } from './runs';

/** null: no form is open. */
export const asking = signal<{ readonly process: Process; readonly inputs: Attributes } | null>(null);

/** What is to be asked once it is known what can be run; null: nothing. */
export const wished = signal<{ readonly process: string; readonly inputs: Attributes } | null>(null);

/** Turns from a card to the form of a scenario, filled in. */
export function wish(process: string, inputs: Attributes): void {
  wished.value = { process, inputs };
  openRun(null);
  // On a phone the card would lie over the form.
  changeSensing(withoutCards());
  panelTab.value = 'scenarios';
  if (panelSize.peek() === 'small') panelSize.value = 'middle';
}
