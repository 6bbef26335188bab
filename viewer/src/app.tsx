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
import { ProbeCard, RunOnMap } from './parts/scenarios/Later';
import { EventCard } from './parts/sensing/EventCard';
import { SensorCard } from './parts/sensing/SensorCard';
import { TimeBar } from './parts/sensing/TimeBar';
import { WaysCard } from './parts/ways/Later';
import { StatusBar } from './parts/StatusBar';
import { Toolbar } from './parts/Toolbar';
import { announcement, editing, isEmpty, map } from './state/session';
import { probe } from './state/scenarios/probe';
import { view } from './state/store';

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
      {view.value.scenario.run === null ? <TimeBar /> : <RunOnMap />}
      <Card />
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

/** One card at a time: what is being edited, an event, a sensor, or an object of the city. */
function Card() {
  const { event, streams } = view.value.sensing;
  const { selected } = view.value;
  if (editing.value) return <EditForm />;
  if (view.value.ways.tool !== null) return <WaysCard />;
  if (event !== null) return <EventCard />;
  if (streams.length > 0) return <SensorCard />;
  return probe.value && !selected ? <ProbeCard /> : <FeatureCard />;
}
