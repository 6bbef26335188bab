/** A chart of lines under the clock of the map: it marks the moment, and a click sets it. */

import { useEffect, useRef } from 'preact/hooks';
import { awaitServer } from '../../state/load';
import { instant, setInstant } from '../../state/scenarios/play';
import type { Chart, Drawn } from '../sensing/chart';

/** drawn: the same object as long as the lines are the same, or the chart is drawn anew. */
export function ClockChart({ drawn, label }: { drawn: Drawn; label: string }) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    let wanted = true;
    import('../sensing/chart').then(({ drawChart }) => {
      if (!wanted) return;
      chart.current = drawChart(element, drawn, { onMoment: setInstant, onWindow: (from) => setInstant(from) });
      chart.current.mark(instant.peek());
    }, awaitServer);
    return () => {
      wanted = false;
      chart.current?.remove();
      chart.current = null;
    };
  }, [drawn]);
  const at = instant.value;
  useEffect(() => chart.current?.mark(at), [at]);
  return <div ref={holder} class="chart" role="img" aria-label={label} />;
}
