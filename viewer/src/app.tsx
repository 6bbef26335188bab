/** The whole page. */

import { t } from './i18n/text';
import { EmptyCity } from './parts/EmptyCity';
import { FeatureCard } from './parts/FeatureCard';
import { Help } from './parts/Help';
import { MapView } from './parts/MapView';
import { Notices } from './parts/Notices';
import { Panel } from './parts/Panel';
import { StatusBar } from './parts/StatusBar';
import { Toolbar } from './parts/Toolbar';
import { announcement, isEmpty, map } from './state/session';

export function App() {
  return (
    <>
      <button type="button" class="skip" onClick={() => map.peek()?.focus()}>
        {t('app.skip')}
      </button>
      <Panel />
      <MapView />
      <Notices />
      {!isEmpty.value && <Toolbar />}
      <FeatureCard />
      <EmptyCity />
      {!isEmpty.value && <StatusBar />}
      <Help />
      <p class="unseen" role="status" aria-live="polite">
        {announcement.value}
      </p>
    </>
  );
}
