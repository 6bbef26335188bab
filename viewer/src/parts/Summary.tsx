/** How many of the filtered objects, and how much area or length, by class or by township. */

import { useEffect, useState } from 'preact/hooks';
import { getStatistics, statisticsAddress } from '../api/city';
import { isAbort } from '../api/client';
import type { Collection, Statistics } from '../api/documents';
import { number, pick, t } from '../i18n/text';
import { city, written } from '../state/session';
import { selectionOf } from '../state/table';

const TOWNSHIP = 'township';
/** What says little of how objects differ. */
const PLAIN = new Set(['class', 'cim_level', 'height_source']);
/** Groups shown; the rest is in the total. */
const MOST = 40;

export function Summary({ layer }: { layer: Collection }) {
  const grouping = layer.twin.properties.filter((property) => property.codes || property.name === 'class');
  const measure = layer.twin.geometry === 'polygon' ? 'area' : layer.twin.geometry === 'line' ? 'length' : null;
  const units = measure === 'area' ? ['ha', 'm2', 'mu', 'km2'] : measure === 'length' ? ['km', 'm'] : [];
  const [by, setBy] = useState((grouping.find((property) => !PLAIN.has(property.name)) ?? grouping[0])?.name ?? TOWNSHIP);
  const [unit, setUnit] = useState(units[0] ?? null);
  const root = city.value?.root ?? '';
  const address = statisticsAddress(root, layer.id, { ...selectionOf(layer.id), by, measure, unit });
  const { found, failure } = useStatistics(address);
  return (
    <section class="summary" aria-label={t('summary.title')}>
      <div class="summary-head">
        <label>
          {t('summary.by')}
          <select value={by} onChange={(event) => setBy(event.currentTarget.value)}>
            {grouping.map((property) => (
              <option key={property.name} value={property.name}>
                {pick(property.title)}
              </option>
            ))}
            <option value={TOWNSHIP}>{t('summary.township')}</option>
          </select>
        </label>
        {units.length > 0 && (
          <label>
            {t('summary.unit')}
            <select value={unit ?? ''} onChange={(event) => setUnit(event.currentTarget.value)}>
              {units.map((each) => (
                <option key={each} value={each}>
                  {unitName(each)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {failure !== null && <p class="quiet">{t('error.unknown', { reason: failure })}</p>}
      {!found && failure === null && <p class="quiet">{t('card.loading')}</p>}
      {found && <Figures found={found} measured={measure} unit={unit} />}
    </section>
  );
}

function Figures({ found, measured, unit }: { found: Statistics; measured: 'area' | 'length' | null; unit: string | null }) {
  const weight = (each: { count: number; sum?: number | null }): number => (measured ? (each.sum ?? 0) : each.count);
  const groups = [...found.groups].sort((a, b) => weight(b) - weight(a));
  const most = Math.max(...groups.map(weight), Number.MIN_VALUE);
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">{t('summary.by')}</span>
          </th>
          <th scope="col">{t('summary.count')}</th>
          {measured && <th scope="col">{`${t(measured === 'area' ? 'summary.area' : 'summary.length')} (${unitName(unit ?? '')})`}</th>}
        </tr>
      </thead>
      <tbody>
        {groups.slice(0, MOST).map((group) => (
          <tr key={String(group.value)}>
            <th scope="row">
              <span>{group.title ? pick(group.title) : (group.value?.toString() ?? t('filter.empty'))}</span>
              <i class="bar" style={{ width: `${(100 * weight(group)) / most}%` }} aria-hidden="true" />
            </th>
            <td>{number(group.count)}</td>
            {measured && <td>{number(group.sum ?? 0, 2)}</td>}
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">{t('summary.total')}</th>
          <td>{number(found.total.count)}</td>
          {measured && <td>{number(found.total.sum ?? 0, 2)}</td>}
        </tr>
      </tfoot>
    </table>
  );
}

function unitName(unit: string): string {
  return unit === 'mu' ? t('summary.mu') : unit.replace('2', '²');
}

function useStatistics(address: string): { found: Statistics | null; failure: string | null } {
  const [state, setState] = useState<{ found: Statistics | null; failure: string | null }>({ found: null, failure: null });
  useEffect(() => {
    const abort = new AbortController();
    getStatistics(address, abort.signal).then(
      (found) => setState({ found, failure: null }),
      (error: unknown) => {
        if (!isAbort(error)) setState({ found: null, failure: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => abort.abort();
  }, [address, written.value]);
  return state;
}
