/** A chart of lines under the map's clock: it marks the moment, and a click or the arrow keys set it. uPlot comes when first wanted. */

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { awaitServer } from '../../state/load';
import type { Chart, Drawn, Told } from './chart';
import { fullTime } from './words';

interface PlottedProps extends Told {
  /** The same object as long as the lines are the same, or the chart is drawn anew. */
  readonly drawn: Drawn;
  readonly label: string;
  /** Milliseconds since 1970; null: now, at the end of the lines. */
  readonly at: number | null;
  /** What the moment is called where it is none. */
  readonly live: string;
}

/** Steps of the arrow keys from one end to the other, and of the page keys in them. */
const [STEPS, PAGE] = [96, 8];

export function Plotted({ drawn, label, at, live, ...told }: PlottedProps) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const latest = useRef({ at, told });
  latest.current = { at, told };
  // A chart of other lines goes with them, not a moment later.
  useLayoutEffect(() => {
    const element = holder.current;
    if (!element) return;
    let wanted = true;
    import('./chart').then(({ drawChart }) => {
      if (!wanted) return;
      chart.current = drawChart(element, drawn, { onMoment: (moment) => latest.current.told.onMoment(moment), onWindow: (from, to) => latest.current.told.onWindow(from, to) });
      chart.current.mark(latest.current.at);
    }, awaitServer);
    return () => {
      wanted = false;
      chart.current?.remove();
      chart.current = null;
    };
  }, [drawn]);
  useEffect(() => chart.current?.mark(at), [at]);
  const now = Math.min(drawn.to, Math.max(drawn.from, at === null ? drawn.to : at / 1000));
  return (
    <div
      ref={holder}
      class="chart"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={drawn.from}
      aria-valuemax={drawn.to}
      aria-valuenow={now}
      aria-valuetext={at === null ? live : fullTime(at)}
      onKeyDown={(event) => {
        const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -PAGE, PageUp: PAGE }[event.key];
        if (steps === undefined) return;
        event.preventDefault();
        told.onMoment(Math.min(drawn.to, Math.max(drawn.from, now + (steps * (drawn.to - drawn.from)) / STEPS)) * 1000);
      }}
    />
  );
}
