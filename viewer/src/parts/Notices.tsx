/** What went wrong, said plainly, with what can be done. */

import { pick, t } from '../i18n/text';
import { chosen } from '../state/load';
import { map, tileTrouble, trouble, unknownCity, webglMissing, type Trouble } from '../state/session';
import { DateNotice } from './DateControl';
import { DrawBar } from './DrawBar';
import { FilterNotices } from './FilterNotices';
import { Icon } from './Icon';
import { AlarmNotice } from './sensing/AlarmNotice';
import { SignalBanner } from './sensing/SignalBanner';

export function Notices() {
  const failure = trouble.value;
  const city = chosen.value;
  return (
    <div class="notices">
      <SignalBanner />
      <AlarmNotice />
      <DrawBar />
      <DateNotice />
      <FilterNotices />
      {failure && <Notice text={describe(failure)} action={t('error.retry')} onAction={failure.retry} />}
      {!failure && tileTrouble.value !== null && (
        <Notice text={t('error.tiles', { reason: tileTrouble.value })} action={t('error.retry')} onAction={() => map.peek()?.reloadTiles()} />
      )}
      {webglMissing.value && <Notice text={t('map.no_webgl')} action={t('error.dismiss')} onAction={() => (webglMissing.value = false)} />}
      {unknownCity.value !== null && city && (
        <Notice
          text={t('error.city', { name: unknownCity.value, title: pick(city.title) })}
          action={t('error.dismiss')}
          onAction={() => (unknownCity.value = null)}
        />
      )}
    </div>
  );
}

function Notice({ text, action, onAction }: { text: string; action: string; onAction: () => void }) {
  return (
    <div class="notice is-trouble" role="alert">
      <Icon name="warning" />
      <span>{text}</span>
      <button type="button" class="text-button" onClick={onAction}>
        {action}
      </button>
    </div>
  );
}

function describe(failure: Trouble): string {
  if (failure.kind === 'unreachable') return t('error.unreachable');
  if (failure.kind === 'refused') return t('error.refused', { reason: failure.reason, status: failure.status ?? 0 });
  return t('error.unknown', { reason: failure.reason });
}
