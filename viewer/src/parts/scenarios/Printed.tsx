/** The open run on a printed page: its name, the clock's moment, what the colours mean. */

import { instant } from '../../state/scenarios/play';
import { run, vectors } from '../../state/scenarios/runs';
import { fullTime } from '../sensing/words';
import { ObjectLegend, RampLegend } from './ResultLayers';
import { runName } from './runs';

export function Printed() {
  const job = run.value;
  if (job?.status !== 'successful') return null;
  return (
    <section class="print-run">
      <h2>
        {runName(job)}
        {instant.value !== null && ` · ${fullTime(instant.value)}`}
      </h2>
      <RampLegend />
      {vectors.value.map((layer) => (
        <ObjectLegend key={layer.id} layer={layer} />
      ))}
    </section>
  );
}
