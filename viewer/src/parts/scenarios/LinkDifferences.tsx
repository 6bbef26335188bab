/** What two runs of traffic differ by: what is compared, what its colours mean, and the roads that changed most. */

import type { Key } from '../../i18n/en';
import { formatNumber, number, signed, t } from '../../i18n/text';
import { boxOf } from '../../geo/scale';
import { classesOf, NEW_ROAD, type DifferenceClass } from '../../map/scenarios/difference';
import { linkDifference, type LinkDifference } from '../../state/scenarios/link_difference';
import { MEASURED, mostChanged, type Difference, type Differences } from '../../state/scenarios/links';
import { changeScenario } from '../../state/scenarios/runs';
import { MEASURES, type Measure } from '../../state/scenarios/view';
import { select } from '../../state/selection';
import { unitText } from '../../state/sensing/states';
import { view } from '../../state/store';

const NAMES = { volume: 'measure.volume', speed_kmh: 'measure.speed', delay_s: 'measure.delay', load: 'measure.load' } as const satisfies Readonly<Record<Measure, Key>>;
const MOST_ROADS = 12;

export function LinkDifferences() {
  const { measure } = view.value.scenario;
  const found = linkDifference.value;
  return (
    <>
      <div class="chips" role="group" aria-label={t('measure.title')}>
        {MEASURES.map((each) => (
          <button key={each} type="button" class="result-chip" aria-pressed={measure === each} onClick={() => changeScenario({ measure: each })}>
            {t(NAMES[each])}
          </button>
        ))}
      </div>
      <DifferenceLegend />
      {found === null && <p class="quiet">{t('scenario.reading')}</p>}
      {found && <Roads found={found} />}
    </>
  );
}

/** The classes of the difference that is on the map, as wide as they are drawn. */
export function DifferenceLegend() {
  const { measure } = view.value.scenario;
  const hasNew = linkDifference.value?.differences.features.some(({ properties }) => properties.isNew) ?? false;
  return (
    <figure class="ramp">
      <figcaption>
        {t('compare.legend', { title: t(NAMES[measure]) })}
        {withUnit(measure)}
      </figcaption>
      <ul class="legend is-halved">
        {classesOf(measure).map((each) => (
          <li key={each.colour}>
            <LineKey {...each} />
            <span>{bounds(each)}</span>
          </li>
        ))}
        {hasNew && (
          <li class="is-apart">
            <LineKey {...NEW_ROAD} dashed />
            <span>{t('measure.new_road')}</span>
          </li>
        )}
      </ul>
    </figure>
  );
}

function LineKey({ colour, width, dashed = false }: Pick<DifferenceClass, 'colour' | 'width'> & { dashed?: boolean }) {
  return (
    <svg class="swatch" viewBox="0 0 20 14" aria-hidden="true" focusable="false">
      <path d="M1 7h18" stroke={colour} stroke-width={width} {...(dashed ? { 'stroke-dasharray': '6 3' } : {})} />
    </svg>
  );
}

function bounds({ from, to }: DifferenceClass): string {
  if (to === null) return `≥ ${signed(from ?? 0)}`;
  if (from === null) return `≤ ${signed(to)}`;
  return `${signed(from)} – ${signed(to)}`;
}

function withUnit(measure: Measure): string {
  const unit = unitText(MEASURED[measure].unit, view.value.language);
  return unit === '' ? '' : ` (${unit})`;
}

function Roads({ found }: { found: LinkDifference }) {
  const { differences, measure, hours } = found;
  const [first, second] = hours;
  if (first === null || second === null) return <p class="quiet">{t('measure.blind')}</p>;
  const roads = mostChanged(differences, MOST_ROADS);
  const fresh = differences.features.filter(({ properties }) => properties.isNew);
  if (roads.length + fresh.length === 0) return <p class="quiet">{t('measure.none')}</p>;
  return (
    <>
      {first !== second && <p class="quiet">{t('measure.hours', { first, second })}</p>}
      {roads.length > 0 && (
        <table class="figures changed-roads">
          <caption>
            {t('measure.roads')}
            {withUnit(measure)}
          </caption>
          <thead>
            <tr>
              <th scope="col">{t('measure.road')}</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
              <th scope="col">B − A</th>
            </tr>
          </thead>
          <tbody>
            {roads.map((road) => (
              <tr key={road.properties.uid}>
                <th scope="row">
                  <RoadButton road={road} found={found} />
                </th>
                <td>{value(road.properties.a)}</td>
                <td>{value(road.properties.b)}</td>
                <td>{signed(rounded(road.properties.change ?? 0))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <NewRoads fresh={fresh} />
      <p class="quiet">{t('measure.note')}</p>
    </>
  );
}

/** Roads that only one of the runs has. */
function NewRoads({ fresh }: { fresh: Differences['features'] }) {
  const counts = (['a', 'b'] as const).map((run) => [run.toUpperCase(), fresh.filter(({ properties }) => properties.run === run).length] as const);
  return (
    <>
      {counts.map(([run, count]) => count > 0 && <p key={run}>{t('measure.only', { run, count: number(count) })}</p>)}
    </>
  );
}

function RoadButton({ road, found }: { road: Differences['features'][number]; found: LinkDifference }) {
  const layer = found.layers[road.properties.run === 'a' ? 0 : 1];
  return (
    <button type="button" class="text-button" onClick={() => select({ layer: layer.id, id: String(road.id) }, boxOf(road.geometry))}>
      {roadName(road.properties)}
    </button>
  );
}

function roadName({ name, name_en, uid, isNew }: Difference): string {
  const told = view.value.language === 'en' ? (name_en ?? name) : name;
  const [, number = uid] = /^-?(\d+)/.exec(uid) ?? [];
  return told ?? t(isNew ? 'measure.new' : 'measure.unnamed', { number });
}

function value(told: number | null): string {
  return told === null ? '—' : formatNumber(rounded(told), view.value.language, 2);
}

// v/c has two decimals that say something, seconds and vehicles none or one.
function rounded(told: number): number {
  const digits = Math.abs(told) < 10 ? 2 : Math.abs(told) < 100 ? 1 : 0;
  return Number(told.toFixed(digits));
}
