/** The card of what was asked of a result: its values at a place through time, or along a line at the clock's moment. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { isAbort } from '../../api/client';
import { pick, t } from '../../i18n/text';
import { closeProbe, probe, type Probe } from '../../state/scenarios/probe';
import { comparing, raster } from '../../state/scenarios/runs';
import { announcement, map } from '../../state/session';
import { Icon } from '../Icon';
import { LineProfile } from './LineProfile';
import { paneName } from './PaneNames';
import { PointChart } from './PointChart';

export function Probed() {
  const asked = probe.value;
  const layer = raster.value;
  const title = layer ? pick(layer.title) : '';
  useEffect(() => {
    if (asked) announcement.value = t('card.opened', { title });
  }, [asked]);
  if (!asked || !layer) return null;
  const close = (): void => {
    closeProbe();
    map.peek()?.focus();
  };
  return (
    <section class="card probe-card" aria-label={t('probe.title')} onKeyDown={(event) => event.key === 'Escape' && close()}>
      <div class="card-head">
        <div>
          <p class="card-kind">
            {t(asked.kind === 'point' ? 'probe.at_point' : 'probe.along')}
            {asked.kind === 'point' && (comparing.value === 'swipe' || comparing.value === 'side') && ` · ${asked.run} ${paneName(asked.run)}`}
          </p>
          <h2>{title}</h2>
          <p class="card-kind">{where(asked)}</p>
        </div>
        <button type="button" class="bare" aria-label={t('card.close')} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div class="card-body">{asked.kind === 'point' ? <PointChart {...asked} /> : <LineProfile line={asked.line} />}</div>
    </section>
  );
}

function where(asked: Probe): string {
  const [lng = 0, lat = 0] = asked.kind === 'point' ? asked.at : (asked.line[0] ?? []);
  return `${lat.toFixed(5)}°, ${lng.toFixed(5)}°`;
}

/** An answer of the server to a question that has a name; asked anew when the name changes. */
export function useValues<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): { readonly value: T | null; readonly failure: string | null } {
  const [state, setState] = useState<{ value: T | null; failure: string | null }>({ value: null, failure: null });
  const last = useRef(key);
  useEffect(() => {
    const abort = new AbortController();
    if (last.current !== key) setState((before) => ({ ...before, failure: null }));
    last.current = key;
    ask(abort.signal).then(
      (value) => !abort.signal.aborted && setState({ value, failure: null }),
      (error: unknown) => !isAbort(error) && setState({ value: null, failure: error instanceof Error ? error.message : String(error) }),
    );
    return () => abort.abort();
  }, [key]);
  return state;
}
