/** Whose trips use a link of the run: pairs of zones in the card, and their ways on the map. */

import { useEffect, useState } from 'preact/hooks';
import type { FeatureCollection } from 'geojson';
import { getJson, isAbort } from '../../api/client';
import { authorization, type Job } from '../../api/scenarios';
import { number, t } from '../../i18n/text';
import { flows } from '../../state/scenarios/results';
import { city } from '../../state/session';

interface TripUsersDocument extends FeatureCollection {
  readonly volume: number;
  readonly pairs: readonly { readonly origin: string; readonly destination: string; readonly volume: number }[];
}

const MOST_PAIRS = 10;

/** at: the state, in the run's own times; null: it has none. */
export function TripUsers({ uid, job, at }: { uid: string; job: Job | null; at: string | null }) {
  const [asked, setAsked] = useState(false);
  const [found, setFound] = useState<TripUsersDocument | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [root, id] = [city.value?.root, job?.jobID];
  useEffect(() => {
    if (!asked || root === undefined || id === undefined) return;
    const abort = new AbortController();
    const values = new URLSearchParams({ run: id, link: uid, limit: String(MOST_PAIRS), ...(at === null ? {} : { datetime: at }) });
    getJson<TripUsersDocument>(`${root}/traffic/users?${values}`, abort.signal, authorization()).then(
      (told) => {
        setFound(told);
        setFailure(null);
        flows.value = told;
      },
      (error: unknown) => {
        if (!isAbort(error)) setFailure(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      abort.abort();
      flows.value = null;
    };
  }, [asked, root, id, uid, at]);
  return (
    <section class="trip-users" aria-label={t('users.title')}>
      <button type="button" class="button" aria-pressed={asked} onClick={() => setAsked(!asked)}>
        {t('users.ask')}
      </button>
      {asked && failure !== null && (
        <p class="fault" role="alert">
          {failure}
        </p>
      )}
      {asked && found && (
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">{t('users.from_to')}</th>
              <th scope="col">{t('users.volume')}</th>
            </tr>
          </thead>
          <tbody>
            {found.pairs.map((pair) => (
              <tr key={`${pair.origin} ${pair.destination}`}>
                <th scope="row">
                  {pair.origin} → {pair.destination}
                </th>
                <td>{number(pair.volume, 1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {asked && found && <p class="quiet">{t('users.note', { volume: number(found.volume, 0) })}</p>}
    </section>
  );
}
