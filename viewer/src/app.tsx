/** The whole page. */

import { t } from './i18n/text';
import { AddMap } from './parts/AddMap';
import { Dock } from './parts/Dock';
import { TokenDialog } from './parts/DrawBar';
import { EditForm } from './parts/EditForm';
import { EmptyCity } from './parts/EmptyCity';
import { FeatureCard } from './parts/FeatureCard';
import { Help } from './parts/Help';
import { MapView } from './parts/MapView';
import { Notices } from './parts/Notices';
import { Panel } from './parts/Panel';
import { StatusBar } from './parts/StatusBar';
import { Toolbar } from './parts/Toolbar';
import { announcement, editing, isEmpty, map } from './state/session';

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
      <Dock />
      {editing.value ? <EditForm /> : <FeatureCard />}
      <EmptyCity />
      {!isEmpty.value && <StatusBar />}
      <Help />
      <AddMap />
      <TokenDialog />
      <p class="unseen" role="status" aria-live="polite">
        {announcement.value}
      </p>
    </>
  );
}
