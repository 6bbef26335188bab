/** A chart of a run, under its clock. */

import { instant, setInstant } from '../../state/scenarios/play';
import type { Drawn } from '../sensing/chart';
import { Plotted } from '../sensing/Plotted';

/** drawn: the same object as long as the lines are the same, or the chart is drawn anew. */
export function ClockChart({ drawn, label }: { drawn: Drawn; label: string }) {
  return <Plotted drawn={drawn} label={label} at={instant.value} live="" onMoment={setInstant} onWindow={setInstant} />;
}
