/** The open run on a printed page: its name, the clock's moment, what the colours mean. */

import { instant } from '../../state/scenarios/play';
import { comparing, raster, run } from '../../state/scenarios/runs';
import { fullTime } from '../sensing/words';
import { DifferenceLegend } from './LinkDifferences';
import { paneName } from './PaneNames';
import { drawnObjects, ObjectLegend, RampLegend } from './ResultLayers';
import { runName } from './runs';

export function Printed() {
  const job = run.value;
  if (job?.status !== 'successful') return null;
  const together = comparing.value;
  return (
    <section class="print-run">
      <h2>
        {runName(job)}
        {instant.value !== null && ` · ${fullTime(instant.value)}`}
      </h2>
      {together !== null && (
        <p>
          {(['A', 'B'] as const).map((letter) => (
            <span key={letter} class="print-pane">
              <b>{letter}</b> {paneName(letter)}
            </span>
          ))}
        </p>
      )}
      <RampLegend />
      {together === 'difference' && raster.value === null && <DifferenceLegend />}
      {drawnObjects().map((layer) => (
        <ObjectLegend key={layer.id} layer={layer} />
      ))}
    </section>
  );
}
