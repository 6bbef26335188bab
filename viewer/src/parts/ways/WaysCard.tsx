/** Ways from places on the map: what is reached in some minutes, the quickest way, the nearest free car park. */

import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/text';
import type { Key } from '../../i18n/en';
import type { Direction, Mode } from '../../api/ways';
import { announcement, map } from '../../state/session';
import { view } from '../../state/store';
import { BANDS, MODES, TOOLS, type Tool } from '../../state/ways/view';
import { changeWays, closeWays, openWays, wayFailure } from '../../state/ways/ways';
import { Icon } from '../Icon';
import { CarParks } from './CarParks';
import { Reach } from './Reach';
import { RoadsChoice } from './RoadsChoice';
import { RouteFound } from './RouteFound';

const TITLES = { reach: 'ways.reach', route: 'ways.route', parking: 'ways.parking' } as const satisfies Readonly<Record<Tool, Key>>;
const MODE_WORDS = { car: 'ways.car', lorry: 'ways.lorry', walk: 'ways.walk' } as const satisfies Readonly<Record<Mode, Key>>;
const DIRECTIONS = { from: 'ways.from', to: 'ways.towards' } as const satisfies Readonly<Record<Direction, Key>>;

export function WaysCard() {
  const { tool, mode, direction, minutes, from, to } = view.value.ways;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  if (tool === null) return null;
  const close = (): void => {
    closeWays();
    map.peek()?.focus();
  };
  return (
    <section class="card ways-card" aria-label={t('ways.title')} onKeyDown={(event) => event.key === 'Escape' && close()}>
      <div class="card-head">
        <h2 ref={heading} tabIndex={-1}>
          {t('ways.title')}
        </h2>
        <button type="button" class="bare" aria-label={t('card.close')} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div class="card-body">
        <Choice label={t('ways.what')} values={TOOLS} chosen={tool} words={(each) => t(TITLES[each])} onChoose={openWays} />
        {tool !== 'parking' && <Choice label={t('ways.mode')} values={MODES} chosen={mode} words={(each) => t(MODE_WORDS[each])} onChoose={(each) => changeWays({ mode: each })} />}
        {tool === 'reach' && (
          <>
            <Choice label={t('ways.direction')} values={['from', 'to'] as const} chosen={direction} words={(each) => t(DIRECTIONS[each])} onChoose={(each) => changeWays({ direction: each })} />
            <Choice
              label={t('ways.minutes')}
              values={BANDS.map((each) => each.join())}
              chosen={minutes.join()}
              words={(each) => t('ways.bands', { minutes: each.replaceAll(',', ' · ') })}
              onChoose={(each) => changeWays({ minutes: each.split(',').map(Number) })}
            />
          </>
        )}
        {tool !== 'parking' && <RoadsChoice />}
        {wayFailure.value !== null && (
          <p class="way-refused" role="alert">
            {wayFailure.value}
          </p>
        )}
        <p class="quiet">{t(hint(tool, from !== null, to !== null))}</p>
        {tool === 'reach' && <Reach />}
        {tool === 'route' && <RouteFound />}
        {tool === 'parking' && <CarParks />}
      </div>
    </section>
  );
}

function hint(tool: Tool, begun: boolean, ended: boolean): Key & `ways.ask_${string}` {
  if (tool === 'parking') return 'ways.ask_parking';
  if (tool === 'reach') return begun ? 'ways.ask_other' : 'ways.ask_place';
  if (!begun) return 'ways.ask_begin';
  return ended ? 'ways.ask_again' : 'ways.ask_end';
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly values: readonly T[];
  readonly chosen: T;
  readonly words: (value: T) => string;
  readonly onChoose: (value: T) => void;
}

function Choice<T extends string>({ label, values, chosen, words, onChoose }: ChoiceProps<T>) {
  return (
    <div class="chips" role="group" aria-label={label}>
      {values.map((each) => (
        <button
          key={each}
          type="button"
          class="result-chip"
          aria-pressed={each === chosen}
          onClick={() => {
            onChoose(each);
            announcement.value = words(each);
          }}
        >
          {words(each)}
        </button>
      ))}
    </div>
  );
}
