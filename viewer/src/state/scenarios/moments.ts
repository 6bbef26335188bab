/** The states that the clock's moment falls in, as the server is asked for them. */

import { computed } from '@preact/signals';
import { between } from './frames';
import { instant } from './play';
import { otherVectors, shift, times } from './runs';

/** The state of the objects, as their tiles are asked for it; null: they have no time. */
export const moment = computed<string | null>(() => {
  const at = instant.value;
  const state = at === null ? undefined : times.value[between(times.value, at).from];
  return state === undefined ? null : instantText(state);
});

/** The same in the times of the run beside. */
export const otherMoment = computed<string | null>(() => moment.value && instantText(Date.parse(moment.value) + shift.value));

/** The clock's moment in the times of the run beside; null where nothing has a time. */
export const otherInstant = computed(() => (instant.value === null ? null : instant.value + shift.value));

function instantText(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** The state of an object of a run, in that run's times. */
export function momentOf(layer: string): string | null {
  return otherVectors.value.some(({ id }) => id === layer) ? otherMoment.value : moment.value;
}
